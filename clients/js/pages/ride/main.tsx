import { render } from "preact";

render(<main>Ride</main>, document.getElementById("page") as HTMLElement);

import { render } from "preact";

render(<main>Your order</main>, document.getElementById("page") as HTMLElement);

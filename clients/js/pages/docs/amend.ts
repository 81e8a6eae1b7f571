/** What the libraries that draw the documents leave out for those who see or press differently. */

/** A selector, and an attribute that each such element gets when it comes; null takes it away. */
export type Amendment = readonly [selector: string, attribute: string, value: string | null];

export function amend(root: HTMLElement, amendments: readonly Amendment[]): void {
  const apply = () => {
    for (const [selector, attribute, value] of amendments)
      for (const element of root.querySelectorAll(selector))
        if (value === null) element.removeAttribute(attribute);
        else if (element.getAttribute(attribute) !== value) element.setAttribute(attribute, value);
  };
  new MutationObserver(apply).observe(root, { childList: true, subtree: true });
  root.addEventListener("keydown", press);
}

/** What was made a button is pressed by keys, as buttons are. */
function press(event: KeyboardEvent): void {
  const { target, key } = event;
  if (!(target instanceof HTMLElement) || !target.matches("div[role=button]")) return;
  if (key !== "Enter" && key !== " ") return;
  event.preventDefault();
  target.click();
}

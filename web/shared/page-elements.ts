/** Typed access to what the HTML has. A missing element is a mistake in the page, so it throws. */

export function find<Element extends HTMLElement>(
  parent: ParentNode,
  selector: string,
  type: abstract new () => Element,
): Element {
  const element = parent.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`The page has no ${selector}.`);
  return element;
}

/** The one element of a template, copied. */
export function instantiate(templateId: string): HTMLElement {
  const template = find(document, `#${templateId}`, HTMLTemplateElement);
  const copy = document.importNode(template.content, true).firstElementChild;
  if (!(copy instanceof HTMLElement)) throw new Error(`Template ${templateId} is empty.`);
  return copy;
}

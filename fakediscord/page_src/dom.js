// Builds elements and keeps lists of them in step with the state: all that this page needs of a framework.

/** `h("a", {class: "x", href: "#", onclick: f, vars: {"--colour": "red"}}, "text", node)`; null attributes and children are left out. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG, whose elements live in a namespace of their own. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "vars") setVariables(element, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// Through the object model, since the page's policy forbids style attributes.
function setVariables(element, variables) {
  for (const [name, value] of Object.entries(variables)) {
    if (value) element.style.setProperty(name, value);
  }
}

const drawn = new WeakMap();

/**
 * Makes the children of `parent` those of `wanted`, a list of {key, deps, draw}. An element is drawn again only
 * when one of its `deps` is another object, so that focus, selection and opened spoilers survive what does not concern them.
 */
export function keep(parent, wanted) {
  const former = new Map([...parent.children].map((element) => [drawn.get(element)?.key, element]));
  const elements = wanted.map((item) => redraw(former.get(item.key), item));
  const staying = new Set(elements);
  for (const element of [...parent.children]) if (!staying.has(element)) takeOut(element);
  placeInOrder(parent, elements);
}

function redraw(former, { key, deps, draw }) {
  if (former && drawn.get(former).deps.every((dep, index) => Object.is(dep, deps[index]))) return former;
  const element = draw();
  drawn.set(element, { key, deps });
  if (former) replaceKeepingFocus(former, element);
  return element;
}

function replaceKeepingFocus(former, element) {
  const focused = former.contains(document.activeElement) ? document.activeElement : null;
  former.replaceWith(element);
  if (!focused) return;
  const same = focused.dataset.focus && element.querySelector(`[data-focus="${CSS.escape(focused.dataset.focus)}"]`);
  focusInto(same || element);
}

function takeOut(element) {
  const neighbour = element.nextElementSibling ?? element.previousElementSibling;
  const hadFocus = element.contains(document.activeElement);
  element.remove();
  if (hadFocus && neighbour) focusInto(neighbour);
}

function focusInto(element) {
  const focusable = "a[href], button:not(:disabled), [tabindex]";
  (element.matches(focusable) ? element : element.querySelector(focusable))?.focus({ preventScroll: true });
}

function placeInOrder(parent, elements) {
  let next = parent.firstElementChild;
  for (const element of elements) {
    if (element === next) next = next.nextElementSibling;
    else parent.insertBefore(element, next);
  }
}

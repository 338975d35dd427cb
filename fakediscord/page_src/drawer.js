// Puts servers and channels into a drawer if the window is narrow.

const narrow = matchMedia("(max-width: 760px)");

/** Returns `{open, close}`; `onChange(isOpen)` is told of each change. */
export function createDrawer({ drawer, main, scrim, onChange }) {
  const show = (isOpen) => {
    if (isOpen === main.inert) return;
    document.body.classList.toggle("drawer-open", isOpen);
    main.inert = isOpen;
    onChange(isOpen);
  };
  const open = () => {
    show(narrow.matches);
    (drawer.querySelector('#channels [aria-current="page"]') ?? drawer.querySelector("a"))?.focus();
  };
  const close = () => show(false);
  scrim.addEventListener("click", close);
  narrow.addEventListener("change", close);
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") close();
  });
  return { open, close };
}

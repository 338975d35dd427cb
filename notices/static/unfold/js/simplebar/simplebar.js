// In place of the theme's 27 KB that draw scroll bars and measure the page for it: the browser's own bars do as well.
// The theme's script asks here for what scrolls its menu.
window.SimpleBar = { instances: { get: (element) => ({ getScrollElement: () => element }) } };

// Brings a script when the place that it fills comes in sight: a page is not to wait for what nobody sees yet.

for (const place of document.querySelectorAll("[data-script]")) {
  const sight = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    const stop = () => sight.disconnect();
    // A line may be cut: it is then brought the next time that the place comes in sight.
    import(place.dataset.script).then(stop, () => {});
  });
  sight.observe(place);
}

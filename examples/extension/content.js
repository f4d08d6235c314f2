// In every page: pictures without a description get one, as soon as they are seen.
const SURE = 0.4;

async function describe(image) {
  const { label, probability, error } = await chrome.runtime.sendMessage(image.currentSrc || image.src);
  if (error || probability < SURE) return;
  image.alt = label;
  image.title = label;
}

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    describe(target);
  }
});
for (const image of document.querySelectorAll('img:not([alt])')) seen.observe(image);

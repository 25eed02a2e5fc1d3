// What is wrong with a page: text too faint, drawings without words, what sticks out.
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) =>
    [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const behind = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) {
      layers.unshift(rgba(getComputedStyle(at).backgroundColor));
    }
    return layers.reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  // WCAG 2.2: relative luminance and contrast ratio.
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) =>
    0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const parent = walker.currentNode.parentElement;
    if (!text || parent.closest("title, desc, style, script") || !parent.checkVisibility()) continue;
    const style = getComputedStyle(parent);
    const back = behind(parent);
    const ink = over(rgba(parent instanceof SVGElement ? style.fill : style.color), back);
    texts.push([contrast(ink, back), text.slice(0, 60)]);
  }
  const says = (svg, name) => svg.querySelector(`:scope > ${name}`)?.textContent.trim();
  const right = (node) => node.getBoundingClientRect().right;
  const sticksOut = (node) =>
    !node.closest(".scroll") && right(node) > right(document.body) + 1;
  const outline = (node) => node.outerHTML.slice(0, 120);
  return {
    innerWidth,
    width: document.documentElement.scrollWidth,
    texts: texts.length,
    faintest: texts.sort((a, b) => a[0] - b[0])[0],
    unnamed: [...document.querySelectorAll("svg")]
      .filter((svg) => !says(svg, "title") || !says(svg, "desc"))
      .map(outline),
    outside: [...document.querySelectorAll("body *")].filter(sticksOut).map(outline),
  };
})();

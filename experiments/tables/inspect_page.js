// What a page shows, for a test to judge. A promise: pictures have to be decoded first.
(async () => {
  const box = (element) => element.getBoundingClientRect();
  const isDrawn = (element) => box(element).width > 0 && box(element).height > 0;

  const channels = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return {rgb: [red, green, blue], alpha};
  };
  // WCAG 2: relative luminance, and the contrast of two colours from 1 to 21.
  const luminance = ({rgb}) => {
    const [red, green, blue] = rgb.map((value) => value / 255).map(
        (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = channels(getComputedStyle(element).backgroundColor);
      if (colour.alpha === 1) return colour;
    }
    return channels("rgb(255, 255, 255)");
  };
  const ink = (element) => {
    const style = getComputedStyle(element);
    return channels(element.closest("svg") ? style.fill : style.color);
  };
  const written = [...document.body.querySelectorAll("*")].filter(
      (element) => [...element.childNodes].some(
          (node) => node.nodeType === Node.TEXT_NODE && node.data.trim()) &&
          !element.closest("style, script, defs, metadata"));

  const isDecoded = (image) => image.decode().then(() => true, () => false);
  const pictures = [...document.querySelectorAll("svg, img")];
  const images = [...document.querySelectorAll("image, img")];
  const decoded = await Promise.all(images.map(isDecoded));

  return {
    title: document.title,
    width: document.documentElement.scrollWidth,
    viewport: window.innerWidth,
    paper: luminance(ground(document.body)),
    pale: written.filter((element) => contrast(ink(element), ground(element)) < 4.5)
              .map((element) => element.textContent.trim()),
    undrawn: written.filter((element) => element.checkVisibility() && !isDrawn(element))
                 .map((element) => element.textContent.trim()),
    tables: Object.fromEntries([...document.querySelectorAll("table")].map(
        (table) => [table.closest("[id]")?.id ?? "",
                    [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent))])),
    captions: [...document.querySelectorAll("figcaption b")].map((caption) => caption.textContent),
    pictures: pictures.length,
    emptyPictures: pictures.filter((picture) => !isDrawn(picture) ||
                                   (picture.getBBox && !(picture.getBBox().width > 0))).length,
    brokenImages: decoded.filter((done) => !done).length,
    warning: document.querySelector(".warning")?.textContent ?? "",
    manifest: [...document.querySelectorAll("footer dt")].map((term) => term.textContent),
    links: [...document.querySelectorAll("a")].map((link) => link.href),
  };
})()

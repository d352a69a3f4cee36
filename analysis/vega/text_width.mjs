// Widths of Helvetica's glyphs, from Adobe's font metrics (AFM), in thousandths of the font size, for the
// characters from space to tilde. Arial and Liberation Sans have the same.
const widths = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, // space to /
  556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, // 0 to ?
  1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, // @ to O
  667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, // P to _
  333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, // ` to o
  556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584, // p to ~
];
const other = 600;
const boldness = 1.06;

/** Width of `text` at `size`, in pixels. */
export function textWidth(text, size, weight) {
  let sum = 0;
  for (const character of text) sum += widths[character.codePointAt(0) - 32] ?? other;
  const bold = weight === 'bold' || Number(weight) >= 600;
  return (sum / 1000) * size * (bold ? boldness : 1);
}

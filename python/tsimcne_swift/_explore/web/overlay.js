// What is drawn over the points: names, rings around images, the line of a lasso.
const colorOf = (element, name) => getComputedStyle(element).getPropertyValue(name).trim();

function drawNames(placed, context, element) {
  Object.assign(context, {
    font: NAME_FONT, textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: 4,
    strokeStyle: colorOf(element, "--paper"), fillStyle: colorOf(element, "--ink"),
  });
  for (const { text, left, top } of placed) {
    context.strokeText(text, left, top);
    context.fillText(text, left, top);
  }
}

function drawRings(plot, context) {
  const rings = plot.under < 0 ? plot.rings : [...plot.rings, plot.under];
  Object.assign(context, { lineWidth: 2, strokeStyle: colorOf(plot.element, "--ink") });
  for (const i of rings) {
    const sprite = plot.sprites.find((shown) => shown.i === i);
    context.beginPath();
    if (sprite) {
      const [width, height] = sprite.half.map((half) => half + 2);
      context.rect(sprite.left - width, sprite.top - height, 2 * width, 2 * height);
    } else {
      context.arc(...plot.view.toScreen(plot.x[i], plot.y[i]), plot.size / 2 + 3, 0, 7);
    }
    context.stroke();
  }
}

function drawOutline(outline, context, element) {
  context.beginPath();
  for (const [left, top] of outline) context.lineTo(left, top);
  context.closePath();
  Object.assign(context, { lineWidth: 2, strokeStyle: colorOf(element, "--accent"), globalAlpha: 0.15 });
  context.fillStyle = context.strokeStyle;
  context.fill();
  context.globalAlpha = 1;
  context.stroke();
}

// The explorer's page: draws what Python measured and asks for more. Plain ES module: nothing is loaded, nothing built.
// Every text is set as text, never as markup. Times are seconds on the recording's presentation clock.

const BLACK = "#000000", BLUE = "#0072B2", ORANGE = "#D55E00", GREEN = "#009E73", GREY = "#8c8c8c", WHITE = "#ffffff";
const STYLES = [[BLUE, []], [ORANGE, [5, 3]], [GREEN, [2, 2]], [BLACK, [7, 2, 2, 2]]];
const HEIGHTS = { curves: 46, picture: 64, spans: 20 };
const LEGEND = 31;                 // from a lane's top to the names of its curves
const GUTTER = 112, EDGE = 40, AXIS = 22;  // left of the lanes their names, right of them the ends of their scales
const HELD = 16, AHEAD = 6;        // pictures kept decoded (some 4 MB each at 720p), and asked for ahead when playing
const CHUNK_S = 10, LONGEST_LOOP_S = 30;
const SHORTEST_S = 0.05;           // of the range seen

// -- arithmetic, tested without a page ---------------------------------------------------------------------------

/** Row of the picture shown at a time: the last that began by then. */
export function rowAt(times, t) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= t + 1e-9) low = middle + 1; else high = middle;
  }
  return Math.max(0, low - 1);
}

/** A step of 1, 2 or 5 times a power of ten that gives at most `most` marks on a stretch. */
export function tickStep(span, most) {
  const least = span / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map(k => k * power).find(step => step >= least * (1 - 1e-9));
}

/** The range seen, zoomed by a factor around a time, inside the whole. */
export function zoomed(range, whole, factor, around) {
  const span = Math.min(whole[1] - whole[0], Math.max(SHORTEST_S, (range[1] - range[0]) * factor));
  const share = (around - range[0]) / (range[1] - range[0]);
  const from = Math.min(Math.max(around - share * span, whole[0]), whole[1] - span);
  return [from, from + span];
}

/** Where playing has come to: `since` s of playing at `speed` from `at`, round and round inside `loop` if there is one. */
export function playedTo(at, since, speed, loop) {
  const t = at + since * speed;
  return loop ? loop[0] + (t - loop[0]) % (loop[1] - loop[0]) : t;
}

/** Stretches of a curve, points as [s, value, s, value, …], in which it was measured. */
export function measured(points) {
  const runs = [];
  let open = false;
  for (let i = 0; i < points.length; i += 2) {
    const known = Number.isFinite(points[i + 1]);
    if (known && open) runs[runs.length - 1][1] = points[i];
    if (known && !open) runs.push([points[i], points[i]]);
    open = known;
  }
  return runs;
}

/** The time at a place on a time line so many pixels wide, on which a range is seen. */
export function timeAt(x, wide, range) {
  return range[0] + (x - GUTTER) / (wide - GUTTER - EDGE) * (range[1] - range[0]);
}

/** Seconds as 0:00:04.920. */
export function timecode(t) {
  const ms = Math.round(Math.abs(t) * 1000), pad = (n, k) => String(n).padStart(k, "0");
  const sign = t < 0 ? "−" : "";
  return `${sign}${Math.floor(ms / 3600000)}:${pad(Math.floor(ms / 60000) % 60, 2)}:` +
    `${pad(Math.floor(ms / 1000) % 60, 2)}.${pad(ms % 1000, 3)}`;
}

/** The numbers of a buffer that came over the channel, whatever its place in memory. */
export function numbers(view, Kind) {
  const bytes = view instanceof ArrayBuffer ? view : view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  return new Kind(bytes);
}

// -- small helps -------------------------------------------------------------------------------------------------

function make(name, about = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(about)) {
    if (key === "text") made.textContent = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function labelled(text, control) {
  return make("label", {}, make("span", { text: `${text} ` }), control);
}

function options(select, texts, values = texts) {
  select.replaceChildren(...texts.map((text, k) => make("option", { text, value: values[k] })));
}

/** Questions to the kernel, each with its answer. */
function channel(model, heard) {
  const waiting = new Map();
  let last = 0;
  const listen = (message, buffers) => {
    const waits = waiting.get(message.id);
    if (!waits) { heard(message, buffers); return; }
    waiting.delete(message.id);
    if (message.kind === "refused") waits.reject(new Error(message.sentence));
    else waits.resolve([message, buffers]);
  };
  model.on("msg:custom", listen);
  return {
    ask(kind, fields = {}) {
      last += 1;
      const id = last;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        model.send({ kind, id, ...fields });
      });
    },
    close() { model.off("msg:custom", listen); },
  };
}

// -- sound -------------------------------------------------------------------------------------------------------

/** Plays excerpts as they come, slowed already; its clock is the sound card's where there is sound, so that the picture follows it. */
function player(ask, say) {
  let context = null, sources = [], began = 0, at = 0, speed = 1, loop = null, behind = 0, sounding = false, turn = 0;

  const now = () => sounding ? context.currentTime - (context.outputLatency || 0) : performance.now() / 1000;
  const silence = () => { sources.forEach(s => { try { s.stop(); } catch { /* not begun */ } }); sources = []; };

  function schedule(samples, rate, start, when, offset) {
    const buffer = context.createBuffer(1, samples.length, rate), channelData = buffer.getChannelData(0);
    for (let i = 0; i < samples.length; i += 1) channelData[i] = samples[i] / 32768;
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(context.destination);
    if (loop) { source.loop = true; source.loopStart = Math.max(0, loop[0] - start) / speed; source.loopEnd = (loop[1] - start) / speed; }
    source.start(Math.max(when, context.currentTime), Math.max(0, offset));
    sources.push(source);
  }

  async function excerpt(from, to) {
    const [about, [bytes]] = await ask("sound", { from, to, speed });
    return [numbers(bytes, Int16Array), about.rate_hz, about.from];
  }

  async function more(own, to) {
    const from = behind;
    behind = Math.min(behind + CHUNK_S, to);
    if (behind <= from) return;
    const [samples, rate, start] = await excerpt(from, behind);
    if (own === turn && samples.length) schedule(samples, rate, start, began + (start - at) / speed, 0);
  }

  return {
    /** From a time at a speed, inside `around`; `sound` is the stretch that has sound, or null. */
    async start(from, pace, around, sound, to) {
      turn += 1;
      const own = turn;
      silence();
      [at, speed, loop, sounding] = [from, pace, around, false];
      if (sound && from < sound[1]) {
        try {
          context = context || new AudioContext();
          if (context.state !== "running") await Promise.race([context.resume(), new Promise(r => setTimeout(r, 300))]);
          const first = around || [from, Math.min(from + CHUNK_S, to)];
          const [samples, rate, start] = await excerpt(first[0], first[1]);
          if (own !== turn) return false;
          if (context.state === "running" && samples.length) {
            sounding = true;
            began = context.currentTime + 0.05;
            behind = first[1];
            schedule(samples, rate, start, began + Math.max(0, start - from) / speed, (from - start) / speed);
          } else if (context.state !== "running") say("The browser keeps the sound off; press Play again to allow it.");
        } catch (error) { say(`No sound: ${error.message}`); }
      }
      if (own !== turn) return false;
      if (!sounding) began = performance.now() / 1000;
      return true;
    },
    position: () => playedTo(at, Math.max(0, now() - began), speed, loop),
    feed(position, to) {
      if (sounding && !loop && behind < to && behind - position < CHUNK_S / 2) more(turn, to).catch(e => say(e.message));
    },
    stop() { turn += 1; silence(); },
    close() { turn += 1; silence(); if (context) context.close(); },
  };
}

// -- pictures ----------------------------------------------------------------------------------------------------

/** Pictures by row, decoded by the browser, the last few kept. */
function album(ask) {
  const held = new Map(), coming = new Map();
  async function fetchRow(row) {
    const [about, [jpeg, points]] = await ask("picture", { row });
    if (about.missing) return about;
    const bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
    const shown = { ...about, bitmap, points: numbers(points, Float32Array) };
    held.set(row, shown);
    for (const old of held.keys()) {
      if (held.size <= HELD) break;
      held.get(old).bitmap.close();
      held.delete(old);
    }
    return shown;
  }
  return {
    known: row => held.get(row),
    /** How many are on their way. */
    get busy() { return coming.size; },
    want(row) {
      if (held.has(row)) return Promise.resolve(held.get(row));
      if (!coming.has(row)) coming.set(row, fetchRow(row).finally(() => coming.delete(row)));
      return coming.get(row);
    },
    close() { held.forEach(shown => shown.bitmap.close()); held.clear(); },
  };
}

function drawPicture(canvas, shown, overlaid) {
  const { bitmap, points, faces } = shown, pen = canvas.getContext("2d");
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
  }
  pen.drawImage(bitmap, 0, 0);
  if (!overlaid) return;
  const [w, h] = [bitmap.width, bitmap.height], dot = Math.max(1, Math.round(Math.min(w, h) / 360)), each = faces.length ? points.length / 2 / faces.length : 0;
  faces.forEach((face, k) => {
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    pen.fillStyle = BLUE;
    for (let i = k * each; i < (k + 1) * each; i += 1) {
      const x = points[2 * i] * w, y = points[2 * i + 1] * h;
      [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
      pen.fillRect(x - dot / 2, y - dot / 2, dot, dot);
    }
    for (const [colour, width] of [[WHITE, 4], [BLUE, 2]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.strokeRect(x0 - 6, y0 - 6, x1 - x0 + 12, y1 - y0 + 12);
    }
    const text = face.named ? `${face.track}: ${face.named}` : face.track;
    pen.font = `${Math.max(14, Math.round(h / 40))}px sans-serif`;
    const [wide, high] = [pen.measureText(text).width + 8, Math.max(18, Math.round(h / 32))];
    pen.fillStyle = WHITE;
    pen.fillRect(x0 - 6, Math.max(0, y0 - 8 - high), wide, high);
    pen.fillStyle = BLACK;
    pen.textBaseline = "middle";
    pen.fillText(text, x0 - 2, Math.max(0, y0 - 8 - high) + high / 2);
  });
}

// -- the time line -----------------------------------------------------------------------------------------------

function hatching(pen) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const own = tile.getContext("2d");
  own.strokeStyle = GREY;
  own.beginPath();
  own.moveTo(0, 8); own.lineTo(8, 0);
  own.stroke();
  return pen.createPattern(tile, "repeat");
}

/** Draws the lanes that came for a range, over the range that is seen now. Returns each lane's place: [lane, y, height]. */
function drawLanes(canvas, came, state, palette) {
  const ratio = globalThis.devicePixelRatio || 1, wide = canvas.clientWidth || 800;
  const places = [];
  let y = AXIS;
  for (const lane of came.lanes) {
    const named = (lane.parts || []).length > 1 ? lane.parts.length : 0;
    const height = Math.max(HEIGHTS[lane.kind], named && LEGEND + 13 * named);
    places.push([lane, y, height]);
    y += height + 4;
  }
  const high = y + 2;
  if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(high * ratio)) {
    canvas.width = Math.round(wide * ratio);
    canvas.height = Math.round(high * ratio);
    canvas.style.height = `${high}px`;
  }
  const pen = canvas.getContext("2d"), [from, to] = state.range, plot = wide - GUTTER - EDGE, per = plot / (to - from);
  const x = t => GUTTER + (t - from) * per, hatch = hatching(pen);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = WHITE;
  pen.fillRect(0, 0, wide, high);
  pen.font = "12px system-ui, sans-serif";
  drawAxis(pen, x, state.range, high, wide);
  for (const [lane, top, height] of places) {
    pen.save();
    pen.beginPath();
    pen.rect(GUTTER, top, plot, height);
    pen.clip();
    if (lane.kind === "curves") drawCurves(pen, lane, came, x, top, height, plot, hatch);
    if (lane.kind === "picture") drawLevels(pen, lane, came, x, top, height, palette);
    if (lane.kind === "spans") drawSpans(pen, lane, x, top, height);
    pen.restore();
    pen.fillStyle = BLACK;
    pen.textBaseline = "middle";
    pen.fillText(lane.label, 2, top + Math.min(height / 2, 10), GUTTER - 8);
    if (lane.kind !== "spans") drawScale(pen, lane, top, height, wide);
    if (lane.note && !(lane.parts || lane.spans || []).length) pen.fillText(lane.note, GUTTER + 4, top + height / 2, plot - 8);
  }
  for (const mark of state.marks) drawMark(pen, x, mark, high);
  if (state.selection) {
    const [a, b] = state.selection.map(x);
    pen.fillStyle = "rgba(0, 114, 178, 0.18)";
    pen.fillRect(a, AXIS, Math.max(b - a, 1), high - AXIS);
    pen.strokeStyle = BLUE;
    pen.strokeRect(a, AXIS, Math.max(b - a, 1), high - AXIS - 1);
  }
  const here = x(state.at);
  if (here >= GUTTER) {
    for (const [colour, width] of [[WHITE, 4], [BLACK, 2]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.beginPath();
      pen.moveTo(here, 0); pen.lineTo(here, high);
      pen.stroke();
    }
  }
  return places;
}

function drawAxis(pen, x, range, high, wide) {
  const step = tickStep(range[1] - range[0], (wide - GUTTER - EDGE) / 90), digits = Math.max(0, -Math.floor(Math.log10(step)));
  pen.strokeStyle = "#d0d0d0";
  pen.fillStyle = BLACK;
  pen.lineWidth = 1;
  pen.textBaseline = "middle";
  pen.fillText("Time (s)", 2, AXIS / 2);
  for (let t = Math.ceil(range[0] / step) * step; t <= range[1]; t += step) {
    pen.beginPath();
    pen.moveTo(x(t), AXIS - 5); pen.lineTo(x(t), high);
    pen.stroke();
    pen.fillText(t.toFixed(digits), x(t) + 2, AXIS / 2);
  }
}

function drawCurves(pen, lane, came, x, top, height, plot, hatch) {
  const y = v => top + height - 2 - (height - 4) * (v - lane.low) / (lane.high - lane.low || 1);
  pen.fillStyle = hatch;
  pen.fillRect(GUTTER, top, plot, height);
  pen.fillStyle = WHITE;
  for (const part of lane.parts) {
    for (const [a, b] of measured(part.points)) {
      pen.fillRect(x(a + came.from) - 1, top, Math.max(x(b + came.from) - x(a + came.from), 0) + 2, height);
    }
  }
  lane.parts.forEach((part, k) => {
    const [colour, dashes] = STYLES[k % STYLES.length];
    pen.strokeStyle = colour;
    pen.lineWidth = 1.3;
    pen.setLineDash(dashes);
    pen.beginPath();
    let open = false;
    for (let i = 0; i < part.points.length; i += 2) {
      const v = part.points[i + 1];
      if (Number.isFinite(v)) {
        const px = x(part.points[i] + came.from);
        if (open) pen.lineTo(px, y(v)); else pen.moveTo(px, y(v));
      }
      open = Number.isFinite(v);
    }
    pen.stroke();
    pen.setLineDash([]);
  });
}

/** Beside a lane: its unit and the names of its curves on the left, the ends of its scale on the right. */
function drawScale(pen, lane, top, height, wide) {
  pen.font = "11px system-ui, sans-serif";
  pen.fillText(lane.unit, 2, top + 24, GUTTER - 8);
  const named = (lane.parts || []).length > 1 ? lane.parts : [];
  named.forEach((part, k) => {
    const [colour, dashes] = STYLES[k % STYLES.length], y = top + LEGEND + 6 + 13 * k;
    pen.strokeStyle = colour;
    pen.lineWidth = 1.3;
    pen.setLineDash(dashes);
    pen.beginPath();
    pen.moveTo(2, y); pen.lineTo(20, y);
    pen.stroke();
    pen.setLineDash([]);
    pen.fillText(part.label, 24, y, GUTTER - 30);
  });
  if (lane.levels || (lane.parts || []).length) {
    for (const [value, y] of [[lane.high, top + 7], [lane.low, top + height - 6]]) {
      pen.fillText(Math.abs(value) >= 10 ? value.toFixed(0) : value.toFixed(2), wide - EDGE + 4, y, EDGE - 4);
    }
  }
  pen.font = "12px system-ui, sans-serif";
}

function drawLevels(pen, lane, came, x, top, height, palette) {
  if (!lane.bitmap) {
    const tile = document.createElement("canvas");
    [tile.width, tile.height] = [lane.columns, lane.bands];
    const own = tile.getContext("2d"), image = own.createImageData(lane.columns, lane.bands);
    for (let band = 0; band < lane.bands; band += 1) {
      for (let k = 0; k < lane.columns; k += 1) {
        const level = lane.levels[band * lane.columns + k], at = 4 * ((lane.bands - 1 - band) * lane.columns + k);
        image.data.set([palette[3 * level], palette[3 * level + 1], palette[3 * level + 2], 255], at);
      }
    }
    own.putImageData(image, 0, 0);
    lane.bitmap = tile;
  }
  pen.drawImage(lane.bitmap, x(lane.from), top, x(lane.to) - x(lane.from), height);
}

function drawSpans(pen, lane, x, top, height) {
  for (const span of lane.spans) {
    const a = x(span.from), w = Math.max(x(span.to) - a, 2), [y, h] = spanPlace(span, top, height);
    pen.fillStyle = span.unusual ? ORANGE : "#cfe3f0";
    pen.fillRect(a, y, w, h);
    pen.strokeStyle = span.unusual ? BLACK : BLUE;
    pen.lineWidth = 1;
    pen.strokeRect(a + 0.5, y + 0.5, Math.max(w - 1, 1), h - 1);
    if (w > 14 && h > 12) {
      pen.save();
      pen.beginPath();
      pen.rect(a, y, w, h);
      pen.clip();
      pen.fillStyle = BLACK;
      pen.textBaseline = "middle";
      pen.fillText(span.label, Math.max(a, GUTTER) + 2, y + h / 2);
      pen.restore();
    }
  }
}

/** Of two eyes the right one above. */
function spanPlace(span, top, height) {
  if (span.eye === "right") return [top, height / 2 - 1];
  if (span.eye === "left") return [top + height / 2 + 1, height / 2 - 1];
  return [top, height];
}

function drawMark(pen, x, mark, high) {
  const a = x(mark.start_s), b = x(mark.end_s);
  if (b < GUTTER) return;
  pen.fillStyle = "rgba(0, 158, 115, 0.18)";
  pen.fillRect(a, AXIS, Math.max(b - a, 1), high - AXIS);
  pen.fillStyle = GREEN;
  pen.fillRect(a - 1, AXIS - 8, 2, high - AXIS + 8);
  pen.beginPath();
  pen.moveTo(a - 6, AXIS - 12); pen.lineTo(a + 6, AXIS - 12); pen.lineTo(a, AXIS - 2);
  pen.fill();
  pen.fillStyle = BLACK;
  pen.fillText(String(mark.number), a + 7, AXIS - 7);
}

// -- the widget --------------------------------------------------------------------------------------------------

function poster(model, el) {
  const bytes = model.get("poster");
  if (bytes && bytes.byteLength) {
    const address = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
    el.append(make("img", { src: address, alt: "First picture", style: "max-width: 100%", onload: () => URL.revokeObjectURL(address) }));
  }
  el.append(make("p", { text: `${model.get("heading")}. Run this cell to look further: no kernel answers now.` }));
}

async function render({ model, el }) {
  el.classList.add("fx-place");
  const waiting = make("div", { class: "fx" });
  el.append(waiting);
  poster(model, waiting);

  const state = { range: [0, 1], selection: null, at: 0, marks: [], row: -1, playing: false, wanted: 0 };
  let gone = false, about = null, came = { lanes: [], from: 0, to: 1 }, places = [], palette = null, times = null;
  const line = channel(model, message => {
    if (message.kind === "progress") progress(message);
    else if (message.kind === "refused") say(message.sentence);
  });
  const pictures = album(line.ask);
  const sound = player(line.ask, text => say(text));

  // Parts of the page.
  const canvas = make("canvas", { role: "img", "aria-label": "Picture", width: 640, height: 360 });
  const where = make("p", { class: "fx-where", "aria-live": "off" });
  const said = make("p", { class: "fx-said", role: "status", "aria-live": "polite" });
  const lanes = make("canvas", {
    class: "fx-lanes", tabindex: 0, role: "slider", "aria-label": "Time line: position in the recording", "aria-orientation": "horizontal",
  });
  const play = make("button", { type: "button", text: "Play", "aria-pressed": "false", onclick: () => toggle() });
  const speed = make("select", { "aria-label": "Speed", onchange: () => { slow.hidden = speed.value === "1"; replay(); } });
  const slow = make("span", { hidden: true, text: "Sound slowed, pitch kept: clicks may be heard twice, and all within some 15 ms of its time." });
  options(speed, ["normal speed", "half speed", "quarter speed"], ["1", "0.5", "0.25"]);
  const loop = make("button", { type: "button", text: "Loop selection", "aria-pressed": "false", onclick: () => setLoop(!looping()) });
  const seconds = make("input", { type: "number", step: "0.001", "aria-label": "Position in seconds", onchange: () => go(Number(seconds.value)) });
  const points = make("input", { type: "checkbox", checked: true, onchange: () => redraw() });
  const person = make("select", { onchange: () => askLanes() });
  const list = make("div", { class: "fx-list", role: "region", "aria-label": "Findings", tabindex: 0 });
  const from = make("input", { type: "number", step: "0.001", "aria-label": "Selection from, seconds", onchange: () => typed() });
  const to = make("input", { type: "number", step: "0.001", "aria-label": "Selection to, seconds", onchange: () => typed() });
  const results = make("div", { class: "fx-scroll", role: "region", "aria-label": "Measurements of the selection", tabindex: 0 });
  const comment = make("input", { type: "text", maxlength: 300, "aria-label": "Comment of the mark" });
  const marks = make("ul", { "aria-label": "Marks" });
  const track = make("select", { "aria-label": "Face to name" });
  const called = make("input", { type: "text", maxlength: 60, "aria-label": "Name, or nobody" });
  const phoneme = make("select", { "aria-label": "Aligned phoneme" });
  const reason = make("input", { type: "text", maxlength: 200, "aria-label": "Reason" });
  const striking = make("div", { class: "fx-row" }, labelled("Phoneme", phoneme), labelled("Reason", reason),
    button("Strike out", () => strike("strike")), button("Let count again", () => strike("restore")));

  function button(text, act, hint) { return make("button", { type: "button", text, title: hint, onclick: act }); }
  function say(text) { said.textContent = text; }
  const looping = () => loop.getAttribute("aria-pressed") === "true";

  const root = make("div", { class: "fx", tabindex: 0, role: "group" },
    make("div", { class: "fx-row" },
      button("◀ Picture", () => step(-1), "One picture back (left arrow)"), play, button("Picture ▶", () => step(1), "One picture on (right arrow)"),
      labelled("Speed", speed), slow, loop, labelled("Go to (s)", seconds), labelled("Landmarks", points), labelled("Person", person)),
    make("div", { class: "fx-main" },
      make("div", { class: "fx-stage" }, canvas, where),
      make("div", {}, make("h3", { text: "Findings" }), list)),
    said,
    make("div", { class: "fx-row" },
      button("Zoom in", () => zoom(0.5), "+"), button("Zoom out", () => zoom(2), "−"), button("Whole", () => see(whole()), "0"),
      button("Zoom to selection", () => state.selection && see(state.selection))),
    lanes,
    make("div", { class: "fx-row" },
      labelled("Selection from (s)", from), labelled("to (s)", to),
      button("Measure selection", () => measure(), "The same measurements on this part alone")),
    results,
    make("h3", { text: "Marks" }),
    make("div", { class: "fx-row" }, labelled("Comment", comment), button("Mark", () => mark(), "Mark the selection, or this picture")),
    marks,
    make("h3", { text: "Names" }),
    make("div", { class: "fx-row" }, labelled("Face", track), labelled("Name", called), button("Name", () => name())),
    striking,
    make("p", { text: "Keys: Space plays, arrows step by picture (with Shift by second), + − 0 zoom, [ and ] set the selection, L loops, M marks." }));

  // Where we are.
  const whole = () => [about.from, about.to];
  const clamp = t => Math.min(Math.max(t, about.from), about.to);

  function redraw() {
    const shown = pictures.known(state.row);
    if (shown) drawPicture(canvas, shown, points.checked);
    drawTimeline();
  }

  function drawTimeline() {
    if (!about) return;
    places = drawLanes(lanes, came, state, palette);
    lanes.setAttribute("aria-valuemin", about.from.toFixed(3));
    lanes.setAttribute("aria-valuemax", about.to.toFixed(3));
    lanes.setAttribute("aria-valuenow", state.at.toFixed(3));
    lanes.setAttribute("aria-valuetext", `${state.at.toFixed(3)} seconds`);
  }

  function showPicture(shown) {
    state.row = shown.row;
    if (!state.playing) state.at = Math.max(shown.t_s, Math.min(state.at, times[shown.row + 1] ?? Infinity));
    drawPicture(canvas, shown, points.checked);
    const faces = shown.faces.map(face => face.named || face.track).join(", ") || "no face";
    const text = `Picture ${shown.number}, PTS ${shown.pts}, ${shown.t_s.toFixed(3)} s (${shown.timecode}); ${faces}`;
    where.textContent = text;
    canvas.setAttribute("aria-label", text);
    Object.assign(canvas.dataset, { row: shown.row, pts: shown.pts });
    if (!state.playing) seconds.value = shown.t_s.toFixed(3);
  }

  async function go(t, exactly = null) {
    if (!about || !Number.isFinite(t)) return;
    if (state.playing) stop();
    state.at = clamp(t);
    if (state.at < state.range[0] || state.at > state.range[1]) see(zoomed(state.range, whole(), 1, state.at));
    seconds.value = state.at.toFixed(3);
    drawTimeline();
    if (!times.length) return;
    const row = exactly ?? rowAt(times, state.at);
    state.wanted = row;
    try {
      const shown = await pictures.want(row);
      if (gone || state.wanted !== row) return;
      if (shown.missing) { where.textContent = `Picture at ${state.at.toFixed(3)} s: the viewing copy is not there yet.`; progress(shown); return; }
      showPicture(shown);
      drawTimeline();
    } catch (error) { say(error.message); }
  }

  function step(by) {
    if (!times.length) { go(state.at + by / 25); return; }
    const row = Math.min(Math.max((state.playing ? state.row : state.wanted) + by, 0), times.length - 1);
    go(times[row], row);
    say(`Picture ${row + 1} of ${times.length}`);
  }

  // Playing.
  async function start() {
    const pace = Number(speed.value);
    let around = looping() && state.selection ? state.selection : null;
    if (around && around[1] - around[0] < 0.02) around = null;
    if (around && around[1] - around[0] > LONGEST_LOOP_S) { say(`A loop lasts at most ${LONGEST_LOOP_S} s.`); around = null; }
    if (state.at >= about.to - 0.02) state.at = about.from;
    const at = around ? (state.at > around[0] && state.at < around[1] ? state.at : around[0]) : state.at;
    state.playing = true;
    play.textContent = "Pause";
    play.setAttribute("aria-pressed", "true");
    if (await sound.start(at, pace, around, about.sound, about.to)) requestAnimationFrame(() => frame(pace, around));
  }

  function frame(pace, around) {
    if (!state.playing || gone) return;
    state.at = sound.position();
    if (!around && state.at >= about.to) { state.at = about.to; stop(); return; }
    sound.feed(state.at, about.to);
    if (times.length) {
      const row = rowAt(times, state.at);
      for (let k = row; k <= Math.min(row + AHEAD, times.length - 1); k += 1) {
        if (!pictures.known(k) && pictures.busy < AHEAD) pictures.want(k).catch(error => say(error.message));
      }
      let best = row;  // the newest that has come: a late picture is shown at its own time stamp, not as this one
      while (best > state.row && best > row - AHEAD && !pictures.known(best)) best -= 1;
      const shown = pictures.known(best);
      if (shown && best !== state.row) { showPicture(shown); state.wanted = best; }
    }
    if (state.at > state.range[1] || state.at < state.range[0]) see(zoomed(state.range, whole(), 1, clamp(state.at + 0.45 * (state.range[1] - state.range[0]))));
    drawTimeline();
    requestAnimationFrame(() => frame(pace, around));
  }

  function stop() {
    if (!state.playing) return;
    state.playing = false;
    sound.stop();
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
    go(state.at);
  }

  const toggle = () => { if (state.playing) stop(); else start(); };
  const replay = () => { if (state.playing) { state.playing = false; sound.stop(); start(); } };

  function setLoop(on) {
    if (on && !state.selection) { say("Select an interval first: drag over the time line, or give its seconds."); return; }
    loop.setAttribute("aria-pressed", String(on));
    replay();
  }

  // The range seen, the selection.
  let timer = 0;
  function see(range) {
    const span = Math.max(range[1] - range[0], SHORTEST_S);
    const begin = Math.max(about.from, Math.min(range[0], about.to - span));
    state.range = [begin, Math.min(begin + span, about.to)];
    drawTimeline();
    clearTimeout(timer);
    timer = setTimeout(askLanes, 60);
  }
  const zoom = (factor, around = state.at) => see(zoomed(state.range, whole(), factor, Math.min(Math.max(around, state.range[0]), state.range[1])));

  let asked = 0;
  async function askLanes() {
    asked += 1;
    const own = asked, [a, b] = state.range;
    try {
      const [answer, buffers] = await line.ask("lanes", { from: a, to: b, person: person.value || null });
      if (gone || own !== asked) return;
      for (const lane of answer.lanes) {
        for (const part of lane.parts || []) part.points = numbers(buffers[part.points], Float32Array);
        if ("levels" in lane) lane.levels = numbers(buffers[lane.levels], Uint8Array);
      }
      came = answer;
      drawTimeline();
      root.dataset.lanes = String(came.lanes.length);
    } catch (error) { say(error.message); }
  }

  function select(a, b) {
    state.selection = [clamp(Math.min(a, b)), clamp(Math.max(a, b))];
    [from.value, to.value] = state.selection.map(t => t.toFixed(3));
    drawTimeline();
  }

  function typed() {
    const [a, b] = [from.value, to.value].map(Number);
    if (from.value !== "" && to.value !== "" && Number.isFinite(a) && Number.isFinite(b)) select(a, b);
  }

  const timeOf = event => {
    const box = lanes.getBoundingClientRect();
    return clamp(timeAt(event.clientX - box.left, box.width, state.range));
  };
  function spanAt(event) {
    const box = lanes.getBoundingClientRect(), y = event.clientY - box.top, t = timeOf(event);
    const near = timeAt(4, box.width, state.range) - timeAt(0, box.width, state.range);
    const found = places.find(([lane, top, height]) => lane.kind === "spans" && y >= top && y < top + height);
    return found && found[0].spans.find(span => {
      const [top, height] = spanPlace(span, found[1], found[2]);
      return t >= span.from - near && t <= span.to + near && y >= top && y <= top + height;
    });
  }

  let pressed = null;
  lanes.addEventListener("pointerdown", event => {
    lanes.setPointerCapture(event.pointerId);
    lanes.focus();
    pressed = { x: event.clientX, t: timeOf(event), dragged: false };
  });
  lanes.addEventListener("pointermove", event => {
    if (!pressed) { const span = spanAt(event); lanes.title = span ? span.label : ""; return; }
    if (Math.abs(event.clientX - pressed.x) > 4) pressed.dragged = true;
    if (pressed.dragged) select(pressed.t, timeOf(event));
  });
  lanes.addEventListener("pointerup", event => {
    if (pressed && !pressed.dragged) {
      const span = spanAt(event);
      if (span) say(`${span.label}, ${span.from.toFixed(3)} to ${span.to.toFixed(3)} s`);
      go(span ? span.from : pressed.t);
    }
    pressed = null;
  });
  lanes.addEventListener("wheel", event => {
    if (!event.ctrlKey && !event.shiftKey) return;  // else the page scrolls
    event.preventDefault();
    if (event.ctrlKey) zoom(event.deltaY < 0 ? 0.8 : 1.25, timeOf(event));
    else { const by = Math.sign(event.deltaY + event.deltaX) * 0.1 * (state.range[1] - state.range[0]); see(state.range.map(t => t + by)); }
  }, { passive: false });

  function keys(event) {
    const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName) && event.target.type !== "checkbox";
    if (!event.composedPath().includes(root) || (!typing && (event.ctrlKey || event.altKey || event.metaKey))) return;
    event.stopPropagation();
    if (!about || typing) return;
    if (event.key === " " && ["BUTTON", "SUMMARY"].includes(event.target.tagName)) return;
    const by = event.shiftKey ? 1 : 0;
    const acts = {
      " ": toggle,
      ArrowLeft: () => by ? go(state.at - 1) : step(-1),
      ArrowRight: () => by ? go(state.at + 1) : step(1),
      Home: () => go(about.from),
      End: () => go(about.to),
      "+": () => zoom(0.5), "-": () => zoom(2), 0: () => see(whole()),
      "[": () => select(state.at, state.selection ? Math.max(state.selection[1], state.at) : state.at),
      "]": () => select(state.selection ? Math.min(state.selection[0], state.at) : state.at, state.at),
      l: () => setLoop(!looping()), L: () => setLoop(!looping()),
      m: () => comment.focus(), M: () => comment.focus(),
    };
    if (acts[event.key]) { event.preventDefault(); acts[event.key](); }
  }

  // Measurements and acts.
  let selections = 0;
  async function measure() {
    if (!state.selection) { say("Select an interval first: drag over the time line, or give its seconds."); return; }
    selections += 1;
    const own = selections, [a, b] = state.selection;
    say(`Measuring ${a.toFixed(3)} to ${b.toFixed(3)} s …`);
    try {
      const [answer] = await line.ask("measure", { from: a, to: b });
      if (gone || own !== selections) return;
      const head = ["Question", "Person", "Quantity", "Value", "Interval", "n", "Why not"];
      const cells = row => [row.question, row.person, row.quantity, row.value, row.interval, row.n, row.reason];
      results.replaceChildren(make("table", {},
        make("caption", { text: `Measured from ${answer.from.toFixed(3)} to ${answer.to.toFixed(3)} s alone, by the same functions as the report` }),
        make("thead", {}, make("tr", {}, ...head.map(text => make("th", { scope: "col", text })))),
        make("tbody", {}, ...answer.rows.map(row => make("tr", {}, ...cells(row).map(text => make("td", { text })))))));
      say(`${answer.rows.length} lines measured.`);
    } catch (error) { if (own === selections) say(error.message); }  // a newer selection ends an older one's measurement
  }

  async function act(kind, fields) {
    try {
      const [answer] = await line.ask(kind, fields);
      acts(answer);
      say(answer.sentence);
      return true;
    } catch (error) { say(error.message); return false; }
  }

  async function mark() {
    const [a, b] = state.selection || [state.at, state.at];
    const here = state.selection ? [a, b] : times.length ? [times[Math.max(state.row, 0)], times[Math.max(state.row, 0)]] : [a, b];
    if (await act("mark", { from: here[0], to: here[1], text: comment.value })) comment.value = "";
  }

  const name = () => act("name", { track: track.value, text: called.value });
  const strike = kind => act(kind, { number: Number(phoneme.value), text: reason.value });

  function acts(now) {
    state.marks = now.marks;
    marks.replaceChildren(...now.marks.map(one => {
      const when = one.end_s > one.start_s ? `${one.start_s.toFixed(3)} to ${one.end_s.toFixed(3)} s` : `${one.start_s.toFixed(3)} s`;
      return make("li", {}, button(`Mark ${one.number}: ${when}`, () => go(one.start_s)),
        make("span", { text: ` ${one.comment} (${one.actor}) ` }),
        button("Take back", () => {
          if (!comment.value.trim()) { say("Give the reason in the comment field, then take the mark back."); comment.focus(); return; }
          act("unmark", { number: one.number, text: comment.value });
        }));
    }));
    const names = now.names;
    options(track, about.tracks.map(t => {
      const given = names[t.name] || names[t.name.replace(/\d+$/, "")] || "not named";
      return `${t.name} (${t.start_s.toFixed(1)} to ${t.end_s.toFixed(1)} s): ${given}`;
    }), about.tracks.map(t => t.name));
    striking.style.display = now.aligned.length ? "" : "none";
    options(phoneme, now.aligned.map(p => `${p.number}: ${p.phoneme} of ${p.word}, ${p.start_s.toFixed(3)} s${now.struck.includes(p.number) ? ", struck out" : ""}`),
      now.aligned.map(p => String(p.number)));
    drawTimeline();
  }

  function progress(now) {
    if (!about) return;
    if (now.fault) { say(now.fault); return; }
    if (!now.whole && now.made < now.of) say(`${now.changed ? "The viewing copy was changed since it was made: disregard what it showed. " : ""}Making the viewing copy: ${now.made} of ${now.of} pictures; what is there can be looked at.`);
    else if (!now.whole) say(now.of ? "All pictures are there; the viewing copy is being finished, or compared with the log." : "");
    else if (now.made < now.of) say(`The viewing copy ends at its largest size, with ${now.made} of ${now.of} pictures; a case of a part (--from, --to) shows the rest.`);
    else say("The viewing copy is whole.");
    if (now.whole && now.kind === "progress") askLanes();
    if (times.length && (state.row < 0 || state.wanted !== state.row) && state.wanted < now.made && !state.playing) go(state.at, state.wanted);
  }

  function findings() {
    list.replaceChildren(...about.findings.map(one => make("details", {},
      make("summary", { text: one.person ? `${one.question} (${one.person})` : one.question }),
      make("p", { text: one.said }),
      make("ul", {}, ...one.events.map(event => make("li", {},
        button(`${timecode(event.from)} ${event.label}${event.unusual ? " (flagged)" : ""}`, () => { go(event.from); see(zoomed(state.range, whole(), 1, event.from)); })))))));
  }

  // Before the notebook's own keys, in whatever phase it listens: there M makes a cell text, and takes its output away.
  globalThis.addEventListener("keydown", keys, true);

  const watcher = new ResizeObserver(() => drawTimeline());
  line.ask("start").then(([answer, [t, colours]]) => {
    if (gone) return;
    about = answer;
    times = numbers(t, Float64Array);
    palette = numbers(colours, Uint8Array);
    state.range = whole();
    state.at = times.length ? clamp(times[0]) : about.from;
    root.setAttribute("aria-label", about.heading);
    options(person, about.persons.length ? about.persons : ["nobody"], about.persons.length ? about.persons : [""]);
    waiting.remove();
    el.append(root);
    watcher.observe(lanes);
    findings();
    acts(about);
    go(state.at, times.length ? 0 : null);  // the picture first: over a long recording the signals take seconds
    askLanes();
    if (about.fault) say(about.fault);
  }).catch(error => waiting.append(make("p", { text: error.message })));

  return () => {
    gone = true;
    globalThis.removeEventListener("keydown", keys, true);
    watcher.disconnect();
    sound.close();
    pictures.close();
    line.close();
  };
}

export default { render };

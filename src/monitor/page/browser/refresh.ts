/**
 * The script of the monitor's pages: it fetches the page again, and puts what changed into the document. Focus,
 * selection, scroll and what did not change stay as they are.
 */
const PERIOD_MS = 5_000;
const TIMEOUT_MS = 10_000;

let timer: ReturnType<typeof setTimeout> | undefined;
let isRunning = false;

async function refresh(): Promise<void> {
  if (isRunning || document.hidden) return;
  isRunning = true;
  try {
    show(await load());
    tell("trouble", "");
  } catch (error) {
    const asOf = document.querySelector("time")?.textContent;
    const why = error instanceof BadAnswer ? error.message : "The monitor cannot be reached";
    tell("trouble", `${why}. Shown is what it knew at ${asOf}; trying again every ${PERIOD_MS / 1_000} s.`);
  }
  isRunning = false;
  timer = setTimeout(refresh, PERIOD_MS);
}

class BadAnswer extends Error {}

async function load(): Promise<Document> {
  const response = await fetch(location.href, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new BadAnswer(`The monitor answers with HTTP status ${response.status}`);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

function show(next: Document): void {
  // A monitor of another version has another style sheet, and may have another script.
  if (find(next, "style").textContent !== find(document, "style").textContent) return location.reload();
  const known = new Set(news());
  document.title = next.title;
  update(find(document, "main"), find(next, "main"));
  const fresh = news().filter((line) => !known.has(line));
  if (fresh.length > 0) tell("news", fresh.join(", "));
}

function find(from: Document, name: string): Element {
  const found = from.querySelector(name);
  if (found === null) throw new BadAnswer(`The answer has no ${name}`);
  return found;
}

/** What a screen reader is to say when it has become true. */
function news(): readonly string[] {
  return [...document.querySelectorAll<HTMLElement>("[data-news]")].map(({ dataset }) => dataset["news"] ?? "");
}

/** Writes into a place that screen readers read when its text changes. */
function tell(id: string, text: string): void {
  const place = document.getElementById(id);
  if (place !== null && place.textContent !== text) place.textContent = text;
}

/**
 * Makes `old` as `next` is. A child with a key stays the child with that key, others go by their place. Lists of
 * children are copied, since they change as the document does.
 */
function update(old: Element, next: Element): void {
  if (old.isEqualNode(next)) return;
  for (const name of old.getAttributeNames()) if (!next.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);

  const wantedKeys = new Set([...next.children].map(keyOf));
  for (const child of Array.from(old.children)) if (!wantedKeys.has(keyOf(child))) child.remove();
  const keyed = new Map([...old.children].map((child) => [keyOf(child), child]));
  let place = old.firstChild;
  for (const wanted of Array.from(next.childNodes)) {
    const key = keyOf(wanted);
    const found = key === undefined ? sameKind(place, wanted) : keyed.get(key);
    keyed.delete(key);
    // What has no key makes way for what has one: an element that is moved loses the focus.
    if (key !== undefined && found !== undefined)
      while (place !== null && place !== found && keyOf(place) === undefined) place = removed(place);
    if (found === place) place = place?.nextSibling ?? null;
    else old.insertBefore(found ?? wanted, place);
    if (found instanceof Element && wanted instanceof Element) update(found, wanted);
    else if (found && found.nodeValue !== wanted.nodeValue) found.nodeValue = wanted.nodeValue;
  }
  while (place !== null) place = removed(place);
}

/** @returns what came behind it */
function removed(node: ChildNode): ChildNode | null {
  const following = node.nextSibling;
  node.remove();
  return following;
}

function sameKind(place: ChildNode | null, wanted: Node): ChildNode | undefined {
  return place !== null && keyOf(place) === undefined && place.nodeName === wanted.nodeName ? place : undefined;
}

function keyOf(node: Node): string | undefined {
  return node instanceof HTMLElement ? node.dataset["key"] : undefined;
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  void refresh();
});
timer = setTimeout(refresh, PERIOD_MS);

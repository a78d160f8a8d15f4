// The page of recordings: all files, the newest first.

// From the origin, because a page opened as USER:PASSWORD@HOST may not fetch relative addresses.
const FILES = new URL("/recordings/files/", location.origin);
/** NAME-20261126T101500Z.mp4 */
const FILE = /-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.mp4$/;
const summary = document.getElementById("summary");
const rows = document.getElementById("files");

async function show() {
  try {
    const streams = (await list("")).filter((entry) => entry.type === "directory");
    const lists = await Promise.all(streams.map(({ name }) => filesOf(name)));
    const files = lists.flat().sort((a, b) => b.begin - a.begin);
    rows.replaceChildren(...files.map(row));
    summary.textContent = files.length === 0 ? "Nothing is recorded." : `Files: ${files.length}`;
  } catch (error) {
    summary.textContent = `No answer: ${error.message}`;
  }
}

async function list(path) {
  const response = await fetch(new URL(path, FILES), { cache: "no-store" });
  if (!response.ok) throw new Error(`the edge answers ${response.status}`);
  return response.json();
}

async function filesOf(stream) {
  const files = (await list(`${encodeURIComponent(stream)}/`)).filter((entry) => FILE.test(entry.name));
  return files.map(({ name, size, mtime }) => ({ stream, name, size, begin: beginOf(name), end: new Date(mtime) }));
}

function beginOf(name) {
  const [, year, month, day, hour, minute, second] = FILE.exec(name).map(Number);
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second));
}

function row({ stream, name, size, begin, end }) {
  const tr = document.createElement("tr");
  const link = document.createElement("a");
  link.href = new URL(`${encodeURIComponent(stream)}/${encodeURIComponent(name)}`, FILES).href;
  link.download = name;
  link.textContent = name;
  const texts = [stream, begin.toLocaleString(), end.toLocaleString(), `${(size / 1e6).toFixed(1)} MB`];
  tr.append(...texts.map(cell), cell(link));
  return tr;
}

function cell(content) {
  const td = document.createElement("td");
  td.append(content);
  return td;
}

show();

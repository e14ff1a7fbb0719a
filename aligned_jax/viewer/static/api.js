// Questions to the server; an answer that is a refusal is thrown as its sentence.

async function refusal(reply) {
  try {
    return (await reply.clone().json()).error || `the program answered ${reply.status}`;
  } catch {
    return (await reply.text()).slice(0, 300) || `the program answered ${reply.status}`;
  }
}

async function reach(path, options) {
  let reply;
  try {
    reply = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the program does not answer; is it still running?");
  }
  if (!reply.ok) throw new Error(await refusal(reply));
  return reply;
}

const posted = (given, more = {}) => ({ method: "POST", body: JSON.stringify(given), ...more });

export async function ask(path, given) {
  return (await reach(path, given === undefined ? {} : posted(given))).json();
}

export async function file(path, given) {
  const reply = await reach(path, posted(given));
  const name = /filename="([^"]+)"/.exec(reply.headers.get("Content-Disposition") || "");
  return { name: name ? name[1] : "file", blob: await reply.blob() };
}

export async function upload(blob, options) {
  const words = new URLSearchParams(options);
  return (await reach(`upload?${words}`, { method: "POST", body: blob })).json();
}

// Lines of JSON as they come.
export async function lines(path, given, signal, hear) {
  const reply = await reach(path, posted(given, { signal }));
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    rest += value || "";
    const parts = rest.split("\n");
    rest = parts.pop();
    for (const part of parts) if (part) hear(JSON.parse(part));
    if (done) return;
  }
}

// The work ends at its next step, and `finished` says so.
export function stop(task) {
  return ask(`task/${task}/stop`, {}).catch(() => {});
}

// Waits for a film and shows it in an image. Returns its file, and what else there is to say of it.
export async function filmed(task, hear, image) {
  const result = await finished(task, hear);
  const { blob } = await file("film/done", { done: result.film });
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(blob);
  image.hidden = false;
  return { blob, result };
}

// Waits for long work; `hear` is told how far it is. Returns its result.
export async function finished(task, hear) {
  let status = task;
  while (status.state === "running") {
    hear(status);
    await new Promise((wake) => setTimeout(wake, 250));
    status = await ask(`task/${status.task}`);
  }
  hear(status);
  if (status.state !== "done") throw new Error(status.error);
  return status.result;
}

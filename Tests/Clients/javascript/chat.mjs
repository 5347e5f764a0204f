// usage: node chat.mjs BASE_URL KEY whole|stream|typed
// Asks for a chat with nothing but what every JavaScript runtime has, and prints what came as one line of JSON.

const [base, key, how] = process.argv.slice(2);
const body = { model: "m", messages: [{ role: "user", content: "Hello!" }], stream: how !== "whole" };
const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
if (how === "typed") {
  // What OpenAI's library for JavaScript sends with each request.
  Object.assign(headers, {
    Accept: "application/json",
    "User-Agent": "OpenAI/JS 7.5.0",
    "X-Stainless-Retry-Count": "0",
    "X-Stainless-Timeout": "600",
    "X-Stainless-Lang": "js",
    "X-Stainless-Package-Version": "7.5.0",
    "X-Stainless-OS": "Linux",
    "X-Stainless-Arch": "x64",
    "X-Stainless-Runtime": "node",
    "X-Stainless-Runtime-Version": process.version,
  });
}

const response = await fetch(`${base}/chat/completions`, { method: "POST", headers, body: JSON.stringify(body) });
const about = { status: response.status, type: response.headers.get("content-type"), id: response.headers.get("x-request-id") };
if (how === "whole" || !response.ok) {
  console.log(JSON.stringify({ ...about, answer: await response.json() }));
  process.exit(0);
}

// An event may come in pieces, and a piece may hold several events.
const reader = response.body.getReader();
const decoder = new TextDecoder();
let [text, pieces, left, done] = ["", 0, "", false];
for (;;) {
  const { value, done: over } = await reader.read();
  if (over) break;
  pieces += 1;
  left += decoder.decode(value, { stream: true });
  const events = left.split("\n\n");
  left = events.pop();
  for (const event of events) {
    if (!event.startsWith("data: ")) continue;
    const data = event.slice("data: ".length);
    if (data === "[DONE]") done = true;
    else text += JSON.parse(data).choices[0]?.delta?.content ?? "";
  }
}
console.log(JSON.stringify({ ...about, text, pieces, done, left }));

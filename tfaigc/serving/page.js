"use strict";

// Makes an element; text is always set as text, so that nothing a model says becomes markup.
function make(tag, text, ...children) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

function table(head, rows) {
  const line = (tag, cells) => make("tr", "", ...cells.map((cell) => make(tag, cell)));
  return make("table", "", line("th", head), ...rows.map((row) => line("td", row)));
}

async function ask(path, body) {
  const token = document.getElementById("token").value;
  const response = await fetch(path, {
    method: body === undefined ? "GET" : "POST",
    headers: token ? { authorization: "Bearer " + token } : {},
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  // The server writes NaN and Infinity, which JSON.parse does not know.
  const text = await response.text();
  const plain = text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (found) =>
    found.startsWith('"') ? found : JSON.stringify(found));
  const answer = JSON.parse(plain);
  if (!response.ok) throw new Error(answer.error);
  return { answer, text };
}

const written = (value) => (typeof value === "string" ? value : JSON.stringify(value));

// A row of strings stands on a line; anything else is JSON.
function read(field) {
  const text = field.value;
  return field.dataset.kind === "lines" ? text.split("\n") : JSON.parse(text);
}

function request(signature, fields) {
  const name = signature.name;
  if (signature.call !== "predict") return { signature_name: name, examples: read(fields[0]) };
  const inputs = Object.fromEntries(fields.map((field) => [field.name, read(field)]));
  return { signature_name: name, inputs };
}

// Columns of outputs, or rows of classes, as rows of cells.
function readable(signature, answer) {
  if (signature.call !== "predict") {
    const cells = (row) => (Array.isArray(row) ? row : [row]).map(written);
    return table([], answer.results.map(cells));
  }
  const names = signature.outputs.map((output) => output.name);
  const columns = names.length > 1 ? answer.outputs : { [names[0]]: answer.outputs };
  const lists = names.map((name) => [columns[name]].flat(Array.isArray(columns[name]) ? 1 : 0));
  const longest = Math.max(...lists.map((list) => list.length));
  const cell = (list, row) => (row < list.length ? written(list[row]) : "");
  return table(names, Array.from({ length: longest }, (_, row) => lists.map((list) => cell(list, row))));
}

function fieldOf(input, call) {
  const field = make("textarea");
  const isLines = call === "predict" && input.dtype === "string" && input.shape === "[?]";
  field.name = input.name;
  field.rows = isLines ? 3 : 2;
  field.dataset.kind = isLines ? "lines" : "json";
  const hint = isLines ? "a line for each row" : call === "predict" ? "JSON" : "JSON: [{\"feature\": value}]";
  return make("label", `${input.name}: ${input.dtype} ${input.shape}, ${hint}`, field);
}

function form(model) {
  const choice = make("select", "", ...model.signatures.map((each) => make("option", each.name)));
  choice.setAttribute("aria-label", "signature");
  choice.value = model.signatures.some((each) => each.name === "serving_default") ? "serving_default" : choice.value;
  const inputs = make("div"), result = make("div"), button = make("button", "Ask");
  const chosen = () => model.signatures.find((each) => each.name === choice.value);
  const show = () => {
    const count = chosen().call === "predict" ? undefined : 1;
    inputs.replaceChildren(...chosen().inputs.slice(0, count).map((each) => fieldOf(each, chosen().call)));
    result.replaceChildren();
  };
  const element = make("form", "", choice, inputs, button, result);
  result.className = "answers";
  choice.addEventListener("change", show);
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    const signature = chosen();
    try {
      const fields = [...inputs.querySelectorAll("textarea")];
      const path = `v1/models/${encodeURIComponent(model.name)}:${signature.call}`;
      const { answer, text } = await ask(path, request(signature, fields));
      result.replaceChildren(make("div", "", readable(signature, answer)), make("pre", text));
    } catch (error) {
      const message = make("p", error.message);
      message.className = "error";
      result.replaceChildren(message);
    }
  });
  show();
  return element;
}

function section(model) {
  const tensors = (each) => each.map((tensor) => `${tensor.name}: ${tensor.dtype} ${tensor.shape}`).join("; ");
  const element = make("section", "", make("h2", model.name),
    table(["version", "state", ""], model.versions.map((each) => [each.version, each.state, each.error])));
  if (model.signatures.length) {
    element.append(
      table(["signature", "inputs", "outputs"],
        model.signatures.map((each) => [each.name, tensors(each.inputs), tensors(each.outputs)])),
      form(model));
  }
  return element;
}

async function load() {
  const state = document.getElementById("state"), models = document.getElementById("models");
  try {
    const { answer } = await ask("models.json");
    models.replaceChildren(...answer.models.map(section));
    state.textContent = answer.models.length ? "" : "There are no models.";
  } catch (error) {
    state.textContent = error.message;
    document.getElementById("access").open = true;
  }
}

document.getElementById("open").addEventListener("click", load);
load();

// The page of a development chain in a real browser: node page.js URL FOLDER-FOR-SCREENSHOTS
"use strict";
const assert = require("node:assert");
const path = require("node:path");
const { chromium } = require("playwright-core");

const [url, folder] = process.argv.slice(2);
const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const MEMO = "<img src=x onerror=\"document.title='taken'\">";

async function main() {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: QUIET });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const problems = [];
  page.on("pageerror", error => problems.push(String(error)));
  // A trace is asked for until its block is there; the browser says so of each answer that is not a success.
  const awaited = response => response.url().endsWith("/get_processed_transaction") && response.status() === 404;
  page.on("response", response => response.ok() || awaited(response) || problems.push(response.status() + " " + response.url()));
  page.on("console", message => message.type() === "error" && !/Failed to load resource/.test(message.text()) && problems.push(message.text()));
  page.on("request", request => request.url().startsWith(url) || problems.push("asked " + request.url()));
  const tab = name => page.getByRole("button", { name, exact: true }).click();
  const shot = name => page.screenshot({ path: path.join(folder, name + ".png") });
  const head = async () => Number(await page.locator("#head").textContent());

  await page.goto(url + "/");
  await page.waitForFunction(() => Number(document.getElementById("head").textContent) > 0);
  const before = await head();
  await page.getByRole("button", { name: "Produce" }).click();
  await page.waitForFunction(known => Number(document.getElementById("head").textContent) > known, before);
  await page.locator(".turn.now").waitFor();

  await tab("Act");
  const form = page.locator("form").nth(1);
  await page.getByLabel("from (name)").fill("alice");
  await page.getByLabel("to (name)").fill("bob");
  await page.getByLabel("quantity (asset)").fill("1.0000 SYS");
  await page.getByLabel("memo (string)").fill(MEMO);
  await form.getByLabel("actor").fill("alice");
  await form.getByRole("button", { name: "Send" }).click();
  await page.getByText("done").waitFor();
  const tree = page.locator(".tree");
  assert.match(await tree.textContent(), /bob was told/);
  assert.ok((await tree.textContent()).includes("onerror"), "the memo is shown");
  await shot("act");
  await page.getByLabel("quantity (asset)").fill("1.0000 NOT");
  await form.getByRole("button", { name: "Send" }).click();
  await page.locator("p.bad").waitFor();
  assert.match(await page.locator("p.bad").textContent(), /token with symbol does not exist|symbol precision mismatch|no balance|unable to find key/);

  // carol has a contract that traps; its functions have names.
  await page.locator("form").first().getByLabel("contract").fill("carol");
  await page.locator("form").first().getByRole("button", { name: "Show" }).click();
  await page.getByLabel("account (name)").fill("bob");
  await form.getByLabel("actor").fill("bob");
  await form.getByRole("button", { name: "Send" }).click();
  await page.getByText("the code of carol stopped in").waitFor();
  assert.match(await tree.textContent(), /the code of carol stopped in\s+deal::fall\s+deal::close\s+apply/);
  await shot("failure");

  await tab("Chain");
  await page.locator("tbody tr", { hasText: /\s*/ }).first().waitFor();
  const busy = page.locator("section", { hasText: "Blocks" }).locator("tbody tr").filter({ has: page.locator("td:nth-child(4)", { hasText: /^[1-9]/ }) }).first();
  await busy.click();
  await page.getByText("eosio.token::transfer").first().waitFor();
  await page.getByText("~ accounts/alice").first().waitFor();
  await shot("chain");

  await tab("Accounts");
  await page.getByRole("cell", { name: "alice", exact: true }).click();
  await page.getByRole("cell", { name: /999999.0000 SYS/ }).waitFor();
  await shot("accounts");
  await tab("Tables");
  await page.getByRole("row", { name: /rammarket/ }).click();
  await page.getByText("eosio / eosio / rammarket").waitFor();
  await shot("tables");
  await tab("Votes");
  await page.locator("svg path").first().waitFor();
  await page.getByText("A vote is worth half of a new one after").waitFor();
  await shot("votes");

  assert.notStrictEqual(await page.title(), "taken");
  assert.deepStrictEqual(problems, []);
  await browser.close();
}
main().catch(error => { console.error(error); process.exit(1); });

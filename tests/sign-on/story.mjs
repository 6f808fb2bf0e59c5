// Logs in through the provider's own pages, in a real Chromium, and prints what the browser shows at each
// step as one line of JSON.
//
//   node story.mjs SERVER ADDRESS [WANTED]
import { chromium } from "playwright-core";

const [server, address, wanted = "/"] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox"],
});
try {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const problems = [];
  page.on("console", (message) => {
    // What the provider's own pages say about their fonts is not ours.
    if (message.type() === "error" && page.url().startsWith(server)) problems.push(message.text());
  });
  await page.goto(server + wanted);
  await page.getByRole("link", { name: "Log in by your organisation" }).click();
  const asked = new URL(page.url());
  await page.locator("input[name=login]").fill(address);
  await page.locator("input[name=password]").fill("whatever it is");
  await page.locator("button[type=submit]").click();
  await page.locator("button[type=submit]").click();
  await page.waitForURL((url) => url.href.startsWith(server));
  const cookies = await context.cookies(server);
  const alert = page.locator("[role=alert]");
  console.log(
    JSON.stringify({
      provider: asked.origin,
      path: new URL(page.url()).pathname,
      heading: await page.locator("h1").innerText(),
      alert: (await alert.count()) ? await alert.first().innerText() : null,
      session: cookies.find((cookie) => cookie.name === "glasshour") ?? null,
      back: page.url(),
      problems,
    }),
  );
} finally {
  await browser.close();
}

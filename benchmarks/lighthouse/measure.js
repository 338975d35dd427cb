// Prints what Lighthouse says of a page, as JSON: node measure.js URL DEVICE CHROMIUM [SESSION].
// The session is a real cookie, because a header that Lighthouse adds is gone once the page sets a cookie itself.

import { launch } from "chrome-launcher";
import lighthouse, { desktopConfig } from "lighthouse";
import puppeteer from "puppeteer-core";

const [url, device, chromePath, session] = process.argv.slice(2);
const chrome = await launch({ chromePath, chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu"] });
try {
  const browser = await puppeteer.connect({ browserURL: `http://127.0.0.1:${chrome.port}` });
  const page = await browser.newPage();
  const { origin } = new URL(url);
  if (session) await browser.setCookie({ name: "sessionid", value: session, domain: new URL(origin).hostname, path: "/" });
  const onlyCategories = ["performance", "accessibility", "best-practices"];
  const config = device === "desktop" ? desktopConfig : undefined;
  const { lhr } = await lighthouse(url, { port: chrome.port, onlyCategories, logLevel: "error" }, config, page);
  if (lhr.runtimeError) throw new Error(lhr.runtimeError.message);
  if (lhr.finalDisplayedUrl !== url) throw new Error(`${url} led to ${lhr.finalDisplayedUrl}`);
  process.stdout.write(JSON.stringify(lhr));
} finally {
  chrome.kill();
}

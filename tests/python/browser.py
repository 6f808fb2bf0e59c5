"""The console in a real Chromium, as people use it: one function a story, called by its test in
tests/tests/browser.rs with what the server was started with, as JSON on standard input. A story fails with
what the page shows. No waiting for luck: Playwright waits for what is looked for, up to its time-out.
"""

import json
import os
import re
import sys

from playwright.sync_api import expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]
PASSWORD = "a long password"
NO_SEAT = "No seat is free. Add seats under Plan, or deactivate a user."


class Stage:
    """A browser, and the server it looks at. Everybody has a context of their own: cookies and all."""

    def __init__(self, browser, given):
        self.browser = browser
        self.given = given
        self.pages = []
        self.faults = []

    def stranger(self, **options):
        options = {"base_url": self.given["url"], "locale": "en-GB", **options}
        context = self.browser.new_context(**options)
        context.set_default_timeout(20_000)
        page = context.new_page()
        # A breach of the content policy is told on the console; a failed script is an error of the page.
        page.on("console", lambda said: said.type == "error" and self.faults.append(said.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.pages.append(page)
        return page

    def log_in(self, email, password=PASSWORD, **options):
        page = self.stranger(**options)
        page.goto("/login")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(lambda url: "/login" not in url)
        return page

    def owner(self, **options):
        return self.log_in(self.given["email"], self.given["password"], **options)

    def invited(self, owner, email, role):
        """Invites somebody new, who follows the link; their page."""
        owner.goto("/members/invite")
        owner.get_by_label("E-mail addresses").fill(email)
        owner.get_by_label("Role").select_option(label=role)
        owner.get_by_role("button", name="Invite").click()
        link = owner.get_by_label(f"Link for {email}").input_value()
        page = self.stranger()
        page.goto(link)
        page.get_by_label("First name").fill(email.split("@")[0].title())
        page.get_by_label("Last name").fill("Doe")
        page.get_by_label("Choose a password").fill(PASSWORD)
        page.get_by_role("button", name="Begin").click()
        page.wait_for_url(lambda url: "/join/" not in url)
        return page


def row(page, name):
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader").filter(has_text=name))


def menu(page, name):
    """Opens a row's menu."""
    page.get_by_label(f"More for {name}").click()


def logging_in(stage):
    page = stage.stranger()
    page.goto("/employees")
    expect(page).to_have_url(re.compile("/login"))
    page.get_by_label("E-mail").fill(stage.given["email"])
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    stage.faults.clear()  # the refused answer's status is told as an error
    page.get_by_label("Password").fill(stage.given["password"])
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile("/employees$"))
    page.get_by_role("button", name="Log out").click()
    page.goto("/employees")
    expect(page).to_have_url(re.compile("/login"))


def a_new_user(stage):
    """Two seats: the owner's and one more."""
    owner = stage.owner()

    def make(user_id):
        owner.goto("/users")
        owner.get_by_role("link", name="New user").click()
        owner.get_by_label("User ID").fill(user_id)
        owner.get_by_label("First name").fill(user_id.title())
        owner.get_by_label("Last name").fill("Doe")
        owner.get_by_label("E-mail").fill(f"{user_id}@acme.example")
        owner.get_by_role("button", name="Save user").click()

    make("jo")
    link = owner.get_by_label("Link to choose a password").input_value()
    make("ann")
    expect(owner.get_by_text(NO_SEAT)).to_be_visible()
    owner.goto("/users")
    expect(owner.get_by_text("2 of 2 seats in use.")).to_be_visible()
    expect(row(owner, "Jo Doe")).to_contain_text("OK")
    expect(row(owner, "Jo Doe")).to_contain_text("active, not logged in yet")
    expect(row(owner, "Ann Doe")).to_contain_text(NO_SEAT)
    expect(row(owner, "Ann Doe")).to_contain_text("not yet active")

    jo = stage.stranger()
    jo.goto(link)
    jo.get_by_label("Choose a password").fill(PASSWORD)
    jo.get_by_role("button", name="Begin").click()
    jo.wait_for_url(lambda url: "/join/" not in url)
    again = stage.stranger()
    again.goto(link)
    expect(again.get_by_role("heading", name="This link does not work")).to_be_visible()
    stage.faults.clear()  # the 404 of the used link
    stage.log_in("jo@acme.example")
    owner.reload()
    expect(row(owner, "Jo Doe")).not_to_contain_text("not logged in yet")
    # The seat of somebody deactivated is free.
    menu(owner, "Jo Doe")
    owner.get_by_role("button", name="Deactivate Jo Doe").click()
    menu(owner, "Ann Doe")
    owner.get_by_role("button", name="Activate Ann Doe").click()
    expect(owner.get_by_label("Link to choose a password")).to_be_visible()


def an_invitation(stage):
    owner = stage.owner()
    owner.goto("/members/invite")
    owner.get_by_label("E-mail addresses").fill("sam@bolt.example, nobody")
    owner.get_by_role("button", name="Invite").click()
    expect(row(owner, "sam@bolt.example")).to_contain_text("Hand the link over")
    expect(row(owner, "nobody")).to_contain_text("This is not an e-mail address")
    ann = stage.invited(owner, "ann@bolt.example", "Manager")
    parts = ann.get_by_role("navigation", name="Main")
    for name in ("Team", "Employees", "Members"):
        expect(parts.get_by_role("link", name=name, exact=True)).to_be_visible()
    for name in ("Users", "Company"):
        expect(parts.get_by_role("link", name=name, exact=True)).to_have_count(0)
    ann.goto("/employees")
    expect(ann.get_by_role("heading", name="Employees", exact=True)).to_be_visible()
    expect(ann.get_by_role("link", name="New employee")).to_have_count(0)
    # As an admin she may.
    owner.goto("/members")
    expect(row(owner, "sam@bolt.example")).to_contain_text("link until")
    owner.get_by_role("link", name="Ann Doe").click()
    owner.get_by_label("Role").select_option(label="Admin")
    owner.get_by_role("button", name="Save changes").click()
    expect(owner.get_by_role("status")).to_contain_text("It is saved.")
    ann.reload()
    expect(ann.get_by_role("link", name="New employee").first).to_be_visible()


def a_deactivation(stage):
    owner = stage.owner()
    ann = stage.invited(owner, "ann@bolt.example", "Manager")
    ann.goto("/team")
    owner.goto("/members")
    menu(owner, "Ann Doe")
    owner.get_by_role("button", name="Deactivate Ann Doe").click()
    expect(owner.get_by_role("link", name="Ann Doe")).to_have_count(0)
    ann.get_by_role("navigation", name="Main").get_by_role("link", name="Employees").click()
    expect(ann).to_have_url(re.compile("/login"))
    owner.get_by_role("link", name="Show inactive").click()
    name = owner.get_by_role("link", name="Ann Doe")
    expect(name).to_have_css("text-decoration-line", "line-through")
    menu(owner, "Ann Doe")
    owner.get_by_role("button", name="Reactivate Ann Doe").click()
    expect(owner.get_by_role("link", name="Ann Doe")).not_to_have_css(
        "text-decoration-line", "line-through")
    # No new acceptance: she logs in as before.
    stage.log_in("ann@bolt.example")


def a_license(stage):
    owner = stage.owner()
    owner.goto("/employees")
    owner.get_by_role("link", name="New employee").first.click()
    owner.get_by_label("Name", exact=True).fill("Jo Doe")
    owner.get_by_label("Worklog").check()
    owner.get_by_role("button", name="Save employee").click()
    expect(owner.get_by_role("status")).to_contain_text("license no. 1 is ready")
    with owner.expect_download() as waiting:
        row(owner, "Jo Doe").get_by_role("link", name="Save license").click()
    file = waiting.value
    file.save_as(os.path.join(stage.given["folder"], file.suggested_filename))
    menu(owner, "Jo Doe")
    owner.get_by_role("button", name="Deactivate Jo Doe").click()
    expect(row(owner, "Jo Doe")).to_contain_text("not active")
    expect(row(owner, "Jo Doe").get_by_role("link", name="Save license")).to_have_count(0)
    return file.suggested_filename


def a_preview(stage):
    for script in (True, False):
        owner = stage.owner(java_script_enabled=script)
        owner.goto("/profiles/new")
        notice = owner.locator("[data-notice]")
        never = "The camera: it is never opened."
        look = owner.get_by_role("button", name="Preview the notice")
        expect(notice).to_contain_text(never)
        owner.get_by_label("Take pictures with the camera").check()
        owner.get_by_label("At most this many in an hour").nth(1).fill("2")
        if not script:
            look.click()
        expect(notice).not_to_contain_text(never)
        expect(notice).to_contain_text(re.compile("camera.*at most (2 times|twice) an hour", re.I))
        owner.get_by_label("Take pictures with the camera").uncheck()
        if not script:
            look.click()
        expect(notice).to_contain_text(never)
        # Nothing was saved by looking.
        owner.goto("/profiles")
        expect(owner.get_by_role("row")).to_have_count(2)


def a_new_key(stage):
    owner = stage.owner()
    owner.goto("/company")
    key = owner.get_by_role("region", name="Signing key").locator("code")
    before = key.inner_text()
    owner.get_by_role("link", name="Replace the signing key").click()
    owner.get_by_role("button", name="Replace the signing key of Acme").click()
    expect(owner).to_have_url(re.compile("/company/key$"))  # the box is not ticked
    owner.get_by_role("checkbox").check()
    owner.get_by_role("button", name="Replace the signing key of Acme").click()
    expect(owner.get_by_role("status")).to_contain_text("The signing key is replaced.")
    assert key.inner_text() != before, before


def every_page(stage):
    """Fits a telephone, light and dark, breaks no content policy, and works by keyboard."""
    owner = stage.owner()
    stage.invited(owner, "ann-with-a-rather-long-address@department.bolt.example", "Admin")
    owner.goto("/employees/new")
    owner.get_by_label("Name", exact=True).fill("Jo Wolfeschlegelsteinhausenbergerdorff")
    owner.get_by_label("Monitoring").check()
    owner.get_by_role("button", name="Save employee").click()
    owner.goto("/members")
    owner.keyboard.press("Tab")
    expect(owner.get_by_role("link", name="Skip to the content")).to_be_focused()
    more = owner.get_by_label("More for Ann")
    more.focus()
    owner.keyboard.press("Enter")
    expect(owner.get_by_role("button", name="Deactivate Ann")).to_be_visible()
    owner.keyboard.press("Escape")
    expect(owner.get_by_role("button", name="Deactivate Ann")).to_be_hidden()

    open_pages, seen = ["/team"], set()
    for scheme in ("light", "dark"):
        owner.emulate_media(color_scheme=scheme)
        owner.set_viewport_size({"width": 360, "height": 740})
        for path in open_pages:
            owner.goto(path)
            wide = owner.evaluate("document.documentElement.scrollWidth")
            assert wide <= 360, f"{path} is {wide} wide"
            ground = owner.evaluate("getComputedStyle(document.body).backgroundColor")
            light = sum(int(part) for part in re.findall(r"\d+", ground)[:3]) > 384
            assert light == (scheme == "light"), f"{path}: {ground} when {scheme}"
            for link in owner.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))"):
                page = link.split("?")[0].split("#")[0]
                leads = page.startswith("/") and not re.search(r"license\.gz|/assets/|^/$", page)
                if leads and page not in seen:
                    seen.add(page)
                    if page != "/team":
                        open_pages.append(page)
    assert len(open_pages) >= 18, open_pages


STORIES = {story.__name__: story for story in (
    logging_in, a_new_user, an_invitation, a_deactivation, a_license, a_preview, a_new_key, every_page)}


def main():
    given = json.load(sys.stdin)
    flags = FLAGS + (["--no-sandbox"] if os.geteuid() == 0 else [])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        stage = Stage(browser, given)
        try:
            said = STORIES[sys.argv[1]](stage)
            assert not stage.faults, stage.faults
        except Exception:
            for page in stage.pages:
                print(f"--- {page.url}\n{page.inner_text('body')}", file=sys.stderr)
            raise
        finally:
            browser.close()
    print(json.dumps(said))


main()

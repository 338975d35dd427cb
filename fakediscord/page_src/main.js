// Wires the page: the server's events change the state, the state is drawn, and what a person does goes back to the server.

import { drawHeader, drawLog, drawMessages } from "./channel.js";
import { createContext } from "./context.js";
import { createDrawer } from "./drawer.js";
import { drawIconButton, drawSign } from "./icons.js";
import { drawMessage, isEphemeral } from "./message.js";
import { currentRoute, settleAddress } from "./route.js";
import { changeFlags, changeThread, deleteMessage, listen, pressButton } from "./server.js";
import { drawChannels, drawGuilds, drawPeople } from "./sidebar.js";
import { addEphemeral, createState, EVENTS, guildOf, messagesFor, unreadEverywhere, unreadIn } from "./state.js";
import { choose } from "./texts.js";
import { refreshRelative } from "./timestamp.js";
import { showProblem, showTitle, showToast } from "./toast.js";

const DRAW_DELAY_MS = 16; // events of a burst are drawn together
const AT_BOTTOM_PX = 40;
const RELATIVE_TIMES_MS = 10_000;
const PERSON_KEY = "person";

const byId = (id) => document.getElementById(id);
const language = choose(navigator.languages);
const { texts } = language;
const state = createState();
const log = byId("messages");
const menu = drawIconButton("menu", texts.openMenu, { id: "menu", "aria-expanded": "false", "aria-controls": "drawer" });
const closeMenu = drawIconButton("close", texts.closeMenu, { id: "close-menu" });

let list = null; // the shown channel's list
let listOf = null; // its channel's id
let drawing = 0;

function drawSoon() {
  drawing ||= setTimeout(draw, DRAW_DELAY_MS);
}

function draw() {
  drawing = 0;
  drawConnection();
  if (state.connection === "connecting") return;
  const route = currentRoute(state);
  settleAddress(route);
  markRead(route.channel);
  drawSidebar(route);
  drawChannel(route);
  announce(route);
}

function drawConnection() {
  const text = { connecting: texts.connecting, lost: texts.lost, open: "" }[state.connection];
  if (byId("connection").textContent !== text) byId("connection").textContent = text;
}

function drawSidebar({ guild, channel }) {
  drawGuilds(document.querySelector("#guilds ul"), state, guild, language);
  drawChannels(document.querySelector("#channels ul"), state, { guild, channel }, language);
  byId("guild-name").textContent = guild?.name ?? "";
  drawPeople(byId("person-select"), byId("person-avatar"), guild, personIn(guild), language);
}

function drawChannel({ guild, channel }) {
  drawHeader(byId("channel-title"), channel, language, onArchive);
  if (!list || listOf !== channel?.id) {
    list = drawLog(log, channel, language);
    listOf = channel?.id;
    log.scrollTop = 0;
  }
  const context = createContext(state, guild, language);
  const actions = { personId: personIn(guild), presses: state.presses, onPress, onDismiss, onDelete, onEmbeds };
  drawMessages(list, channel ? messagesFor(state, channel.id, actions.personId) : [], context, actions);
  drawNewest();
}

function drawNewest() {
  const unread = unreadIn(state, [listOf]);
  const text = texts.jumpToNewest(unread);
  byId("newest").hidden = isAtBottom();
  byId("newest").classList.toggle("has-unread", unread > 0);
  if (byId("newest").textContent !== text) byId("newest").replaceChildren(text, drawSign("down"));
}

function announce(route) {
  showTitle(unreadEverywhere(state), route, language);
  const { newest } = state;
  state.newest = null;
  if (!newest || newest.channelId === route.channel?.id) return;
  const guild = guildOf(state, newest.channelId);
  const channel = guild?.channels.find(({ id }) => id === newest.channelId);
  if (channel) showToast(byId("toast"), { guild, channel, message: newest.message }, language);
}

/** The log grows upwards from its bottom, so that its own bottom is where scrolling is zero. */
function isAtBottom() {
  return Math.abs(log.scrollTop) < AT_BOTTOM_PX;
}

function markRead(channel) {
  const isLookedAt = document.visibilityState === "visible" && (isAtBottom() || listOf !== channel?.id);
  if (channel && isLookedAt) state.unread.delete(channel.id);
}

/** The person acting in a guild: the chosen one if a member there, else the server's own choice, else anybody. */
function personIn(guild) {
  const people = (guild?.members ?? []).filter(({ bot }) => !bot).map(({ id }) => id);
  return [sessionStorage.getItem(PERSON_KEY), state.me].find((id) => people.includes(id)) ?? people[0];
}

async function onPress(message, customId) {
  const { guild } = currentRoute(state);
  const userId = personIn(guild);
  const press = { channel_id: message.channel_id, message_id: message.id, custom_id: customId, user_id: userId };
  state.presses.set(message.id, { customId, state: "busy" });
  drawSoon();
  const answer = await pressButton(press);
  if (answer.error) state.presses.set(message.id, { customId, state: "failed" });
  else state.presses.delete(message.id);
  if (answer.message && isEphemeral(answer.message)) addEphemeral(state, { ...press, message: answer.message });
  drawSoon();
}

function onDismiss(message) {
  state.ephemerals.delete(message.id);
  drawSoon();
}

async function onEmbeds(message, flags) {
  if (!(await changeFlags(message, flags))) showProblem(byId("toast"), texts.changeFailed);
}

async function onArchive(thread) {
  const archived = !thread.thread_metadata.archived;
  if (!(await changeThread(thread, { archived }))) showProblem(byId("toast"), texts.changeFailed);
}

function onDelete(message) {
  const dialog = byId("confirm");
  const { guild } = currentRoute(state);
  byId("confirm-message").replaceChildren(drawMessage(message, createContext(state, guild, language)));
  byId("confirm-message").inert = true;
  dialog.returnValue = "cancel";
  dialog.onclose = async () => {
    // The delete button itself is hidden again by now and cannot take the focus back.
    list.querySelector(`[data-message-id="${message.id}"]`)?.focus({ preventScroll: true });
    if (dialog.returnValue !== "delete") return;
    if (!(await deleteMessage(message))) showProblem(byId("toast"), texts.deleteFailed);
  };
  dialog.showModal();
}

function applyEvent(name, data) {
  EVENTS[name](state, data);
  if (name === "EPHEMERAL") showAnswer(data);
  drawSoon();
}

/** The answer to somebody's press stands at the bottom; the pressed button may be far above it. */
function showAnswer({ channel_id: channelId, user_id: userId }) {
  const { guild, channel } = currentRoute(state);
  if (channelId === channel?.id && userId === personIn(guild)) log.scrollTop = 0;
}

function loseConnection() {
  state.connection = state.connection === "connecting" ? "connecting" : "lost";
  drawSoon();
}

function fillTexts() {
  document.documentElement.lang = language.locale;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = texts[element.dataset.text];
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", texts[element.dataset.label]);
  byId("channel-header").prepend(menu);
  byId("guild-header").append(closeMenu);
}

function attendToPerson() {
  const drawer = createDrawer({
    drawer: byId("drawer"),
    main: byId("main"),
    scrim: byId("scrim"),
    onChange(open) {
      menu.setAttribute("aria-expanded", String(open));
      if (!open) menu.focus();
    },
  });
  menu.addEventListener("click", drawer.open);
  closeMenu.addEventListener("click", drawer.close);
  byId("skip").addEventListener("click", () => (list?.querySelector('.message[tabindex="0"]') ?? log).focus());
  byId("newest").addEventListener("click", () => log.scrollTo({ top: 0 }));
  byId("person-select").addEventListener("change", ({ target }) => {
    sessionStorage.setItem(PERSON_KEY, target.value);
    drawSoon();
  });
  byId("channels").addEventListener("click", ({ target }) => {
    if (target.closest("a")) drawer.close();
  });
  log.addEventListener("scroll", drawSoon);
  window.addEventListener("hashchange", drawSoon);
  document.addEventListener("visibilitychange", drawSoon);
}

fillTexts();
attendToPerson();
draw();
listen(Object.keys(EVENTS), applyEvent, loseConnection);
setInterval(refreshRelative, RELATIVE_TIMES_MS, document);

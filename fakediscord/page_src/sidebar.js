// The left side: the rail of servers, the channels of one, and who is looking.

import { drawAvatar } from "./avatar.js";
import { h, keep } from "./dom.js";
import { drawSign } from "./icons.js";
import { missingPermissions } from "./permissions.js";
import { hrefTo } from "./route.js";
import { channelsOf, unreadIn } from "./state.js";

const ANNOUNCEMENT = 5;
const THREADS = [10, 11, 12];

export function drawGuilds(parent, state, shown, { texts }) {
  const items = [...state.guilds.values()].map((guild) => {
    const isShown = guild.id === shown?.id;
    const unread = unreadIn(state, guild.channels.map(({ id }) => id));
    const draw = () => drawGuild(guild, isShown, unread, texts);
    return { key: guild.id, deps: [guild, isShown, unread], draw };
  });
  keep(parent, items);
}

function drawGuild(guild, isShown, unread, texts) {
  return h(
    "li",
    { class: unread ? "unread" : null },
    h(
      "a",
      {
        href: hrefTo(guild.id),
        "data-guild-id": guild.id,
        "data-focus": guild.id,
        "aria-current": isShown ? "page" : null,
        title: guild.name,
      },
      guild.icon_text ? h("span", { "aria-hidden": "true" }, guild.icon_text) : drawAvatar(guild),
      h("span", { class: "unseen" }, unread ? `${guild.name}, ${texts.unread(unread)}` : guild.name),
    ),
  );
}

export function drawChannels(parent, state, { guild, channel: shown }, { texts }) {
  const items = (guild ? channelsOf(guild) : []).map((channel) => {
    const isShown = channel.id === shown?.id;
    const unread = unreadIn(state, [channel.id]);
    const draw = () => drawChannel(guild.id, channel, isShown, unread, texts);
    return { key: channel.id, deps: [channel, isShown, unread], draw };
  });
  keep(parent, items);
}

function drawChannel(guildId, channel, isShown, unread, texts) {
  const missing = missingPermissions(channel, texts);
  return h(
    "li",
    { class: unread ? "unread" : null },
    h(
      "a",
      {
        href: hrefTo(guildId, channel.id),
        "data-channel-id": channel.id,
        "data-focus": channel.id,
        "aria-current": isShown ? "page" : null,
      },
      drawChannelSign(channel, texts),
      h("span", { class: "channel-name" }, channel.name),
      missing ? drawSign("warning", missing) : null,
      unread ? h("span", { class: "badge", role: "img", "aria-label": texts.unread(unread) }, String(unread)) : null,
    ),
  );
}

export function isThread({ type }) {
  return THREADS.includes(type);
}

export function drawChannelSign({ type }, texts) {
  if (isThread({ type })) return drawSign("thread", texts.thread);
  return type === ANNOUNCEMENT ? drawSign("announcement", texts.announcementChannel) : drawSign("text", texts.textChannel);
}

/** Fills the chooser with the people of a guild; bots cannot press buttons. */
export function drawPeople(select, avatar, guild, personId, { texts }) {
  const people = (guild?.members ?? []).filter(({ bot }) => !bot);
  keep(select, people.length ? people.map(asOption) : [asOption({ id: "", name: texts.nobody })]);
  select.value = personId ?? "";
  select.disabled = people.length === 0;
  const person = people.find(({ id }) => id === personId);
  keep(avatar, person ? [{ key: person.id, deps: [person], draw: () => drawAvatar(person, person.avatar_color) }] : []);
}

function asOption(person) {
  return { key: person.id, deps: [person.name], draw: () => h("option", { value: person.id }, person.name) };
}

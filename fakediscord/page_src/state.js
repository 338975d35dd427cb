// What the page knows, and how each of the server's events changes it. No element is touched here.

import { displayName } from "./names.js";

const CATEGORY = 4;
// How much is kept of a channel, so that a page left open over a long run of tests does not grow without end.
const KEPT_MESSAGES = 200;

export function createState() {
  return {
    connection: "connecting", // "open" once a snapshot came, "lost" until the next one
    guilds: new Map(),
    messages: new Map(), // channel id -> messages, oldest first
    ephemerals: new Map(), // message id -> {channel_id, user_id, message}
    unread: new Map(), // channel id -> ids of messages not yet looked at
    presses: new Map(), // message id -> {customId, state}
    newest: null, // {channelId, message} of the latest message that came while looking on
    me: null,
  };
}

/** Each takes the state and an event's data; named as the server names its events. */
export const EVENTS = {
  snapshot: applySnapshot,
  MESSAGE_CREATE: createMessage,
  MESSAGE_UPDATE: updateMessage,
  MESSAGE_DELETE: (state, { id, channel_id: channelId }) => removeMessages(state, channelId, [id]),
  MESSAGE_DELETE_BULK: (state, { ids, channel_id: channelId }) => removeMessages(state, channelId, ids),
  EPHEMERAL: (state, data) => addEphemeral(state, data),
  CHANNEL_CREATE: putChannel,
  CHANNEL_UPDATE: putChannel,
  CHANNEL_DELETE: removeChannel,
  GUILD_CREATE: (state, data) => putGuild(state, { ...data, members: data.members?.map(asMember) }),
  GUILD_UPDATE: (state, data) => putGuild(state, { ...data, channels: undefined, members: undefined }),
  GUILD_DELETE: removeGuild,
  GUILD_ROLE_CREATE: putRole,
  GUILD_ROLE_UPDATE: putRole,
  GUILD_ROLE_DELETE: removeRole,
  GUILD_MEMBER_ADD: putMember,
  GUILD_MEMBER_UPDATE: putMember,
  GUILD_MEMBER_REMOVE: removeMember,
};

function applySnapshot(state, { guilds, messages, me }) {
  const known = state.messages;
  state.connection = "open";
  state.me = me;
  state.guilds = new Map(guilds.map((guild) => [guild.id, guild]));
  state.messages = new Map(Object.entries(messages));
  for (const [channelId, list] of state.messages) markMissed(state, channelId, known.get(channelId), list);
}

/** Marks what came while the connection was lost as unread. */
function markMissed(state, channelId, known, list) {
  const last = known?.at(-1);
  if (!last) return;
  for (const message of list) if (isOlder(last, message)) markUnread(state, channelId, message.id);
}

function createMessage(state, message) {
  const list = state.messages.get(message.channel_id) ?? [];
  if (list.some(({ id }) => id === message.id)) return updateMessage(state, message);
  state.messages.set(message.channel_id, inOrder([...list, message]).slice(-KEPT_MESSAGES));
  markUnread(state, message.channel_id, message.id);
  state.newest = { channelId: message.channel_id, message };
}

function updateMessage(state, change) {
  const list = state.messages.get(change.channel_id) ?? [];
  state.messages.set(
    change.channel_id,
    list.map((message) => (message.id === change.id ? { ...message, ...change } : message)),
  );
}

function removeMessages(state, channelId, ids) {
  const list = state.messages.get(channelId) ?? [];
  state.messages.set(channelId, list.filter((message) => !ids.includes(message.id)));
  for (const id of ids) {
    state.ephemerals.delete(id);
    state.presses.delete(id);
    state.unread.get(channelId)?.delete(id);
    if (state.newest?.message.id === id) state.newest = null;
  }
}

export function addEphemeral(state, { channel_id: channelId, user_id: userId, message }) {
  state.ephemerals.set(message.id, { channelId, userId, message });
}

function putChannel(state, { guild_id: guildId, ...channel }) {
  changeGuild(state, guildId, (guild) => ({ channels: put(guild.channels, channel) }));
}

function removeChannel(state, { id, guild_id: guildId }) {
  changeGuild(state, guildId, (guild) => ({ channels: guild.channels.filter((channel) => channel.id !== id) }));
  state.messages.delete(id);
  state.unread.delete(id);
}

function putRole(state, { guild_id: guildId, role }) {
  changeGuild(state, guildId, (guild) => ({ roles: put(guild.roles, role) }));
}

function removeRole(state, { guild_id: guildId, role_id: roleId }) {
  changeGuild(state, guildId, (guild) => ({ roles: guild.roles.filter((role) => role.id !== roleId) }));
}

function putMember(state, { guild_id: guildId, ...member }) {
  changeGuild(state, guildId, (guild) => ({ members: put(guild.members, asMember(member)) }));
}

function removeMember(state, { guild_id: guildId, user }) {
  changeGuild(state, guildId, (guild) => ({ members: guild.members.filter((member) => member.id !== user.id) }));
}

// In an outage people still see the guild, although the bot does not reach it.
function removeGuild(state, { id, unavailable }) {
  if (!unavailable) state.guilds.delete(id);
}

function putGuild(state, data) {
  const blank = { channels: [], roles: [], members: [] };
  const told = Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
  state.guilds.set(data.id, { ...blank, ...state.guilds.get(data.id), ...told });
}

function changeGuild(state, guildId, change) {
  const guild = state.guilds.get(guildId);
  if (guild) state.guilds.set(guildId, { ...guild, ...change(guild) });
}

/** The list with the item added, or merged into the one with its id. */
function put(list, item) {
  const known = list.some(({ id }) => id === item.id);
  return known ? list.map((other) => (other.id === item.id ? { ...other, ...item } : other)) : [...list, item];
}

/** The gateway nests a member's user; the snapshot does not. */
function asMember(member) {
  const { user, nick } = member;
  if (!user) return member;
  return { id: user.id, name: nick ?? displayName(user), avatar_color: user.avatar_color, bot: Boolean(user.bot) };
}

function markUnread(state, channelId, messageId) {
  const ids = state.unread.get(channelId) ?? new Set();
  state.unread.set(channelId, ids.add(messageId));
}

// Snowflakes are too long for a number. Of two, the shorter one is older.
function isOlder(one, other) {
  return BigInt(one.id) < BigInt(other.id);
}

function inOrder(messages) {
  return messages.sort((one, other) => (isOlder(one, other) ? -1 : 1));
}

export function guildOf(state, channelId) {
  return [...state.guilds.values()].find((guild) => guild.channels.some(({ id }) => id === channelId));
}

/** The channels of a guild that can be shown, as Discord orders them. */
export function channelsOf(guild) {
  return guild.channels
    .filter(({ type }) => type !== CATEGORY)
    .sort((one, other) => (one.position ?? 0) - (other.position ?? 0) || (isOlder(one, other) ? -1 : 1));
}

/** What this person sees of a channel: everybody's messages and those meant for them alone. */
export function messagesFor(state, channelId, userId) {
  const own = [...state.ephemerals.values()].filter((one) => one.channelId === channelId && one.userId === userId);
  return inOrder([...(state.messages.get(channelId) ?? []), ...own.map(({ message }) => message)]);
}

export function unreadEverywhere(state) {
  return unreadIn(state, [...state.guilds.values()].flatMap(({ channels }) => channels.map(({ id }) => id)));
}

export function unreadIn(state, channelIds) {
  return channelIds.reduce((count, id) => count + (state.unread.get(id)?.size ?? 0), 0);
}

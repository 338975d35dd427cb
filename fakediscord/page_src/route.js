// Which channel is shown: the address's `#/guild/channel`, or the nearest that there is.

import { channelsOf } from "./state.js";

const lastShown = new Map(); // guild id -> channel id

export function hrefTo(guildId, channelId) {
  return channelId ? `#/${guildId}/${channelId}` : `#/${guildId}`;
}

/** `{guild, channel}` to show, either undefined if there is none. */
export function currentRoute(state) {
  const [, guildId, channelId] = location.hash.split("/");
  const guild = state.guilds.get(guildId) ?? state.guilds.values().next().value;
  if (!guild) return {};
  const channels = channelsOf(guild);
  const find = (id) => channels.find((channel) => channel.id === id);
  const channel = find(channelId) ?? find(lastShown.get(guild.id)) ?? channels[0];
  if (channel) lastShown.set(guild.id, channel.id);
  return { guild, channel };
}

/** Makes the address say what is shown, without a step in the history. */
export function settleAddress({ guild, channel }) {
  if (!guild) return;
  const href = hrefTo(guild.id, channel?.id);
  if (location.hash !== href) history.replaceState(null, "", href);
}

// Who and what a message's mentions name, looked up in the guild that is shown.

import { cssColour } from "./colours.js";
import { hrefTo } from "./route.js";
import { guildOf } from "./state.js";

export function createContext(state, guild, language) {
  const find = (list, id) => list?.find((item) => item.id === id);
  return {
    ...language,
    guild,
    user(id) {
      const member = find(guild?.members, id);
      return member && { name: member.name, colour: member.avatar_color };
    },
    role(id) {
      const role = find(guild?.roles, id);
      return role && { name: role.name.replace(/^@/, ""), colour: role.color ? cssColour(role.color) : undefined };
    },
    channel(id) {
      const home = guildOf(state, id);
      return home && { name: find(home.channels, id).name, href: hrefTo(home.id, id) };
    },
  };
}

// By what name Discord shows a user.

export function displayName(user) {
  return user.global_name ?? user.username ?? user.name;
}

/** A message's author; in a guild a nickname goes before the user's own name. */
export function authorName({ author, member }) {
  return member?.nick ?? displayName(author);
}

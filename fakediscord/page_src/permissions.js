// Says what the bot lacks in a channel to show a notice there, which a developer asks first when nothing appears.

const NEEDED_BITS = [10, 11, 14, 16];

/** A sentence that names what is missing, or "" if nothing is or nothing is known. */
export function missingPermissions({ bot_permissions: permissions }, texts) {
  if (permissions === undefined || permissions === null) return "";
  const held = BigInt(permissions);
  const missing = NEEDED_BITS.filter((bit) => !(held & (1n << BigInt(bit))));
  return missing.length ? texts.missing(missing.map((bit) => texts.permissions[bit]).join(", ")) : "";
}

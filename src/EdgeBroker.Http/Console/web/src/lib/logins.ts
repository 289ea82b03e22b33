// Who can log in, by the configuration in force: users of the groups whose names are roles.
import type { Json } from '../ui/members';

const ROLES = ['viewer', 'operator', 'admin'];

/** A setting's value, whether it comes with where it is from or bare. */
function plain(of: Json | undefined): Json {
  if (of !== null && typeof of === 'object' && !Array.isArray(of) && 'value' in of) return of.value ?? null;
  return of ?? null;
}

/** Names of users that have a role. */
export function usersWithRole(config: Json): string[] {
  if (config === null || typeof config !== 'object' || Array.isArray(config)) return [];
  const groups = plain(config.group);
  if (!Array.isArray(groups)) return [];
  return groups.flatMap(group => {
    if (group === null || typeof group !== 'object' || Array.isArray(group)) return [];
    const name = plain(group.name);
    const users = plain(group.users);
    return typeof name === 'string' && ROLES.includes(name) && Array.isArray(users) ? users.map(plain).filter((user): user is string => typeof user === 'string') : [];
  });
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table of flows takes the place of another: copied while the programs go on with the old one,
 * and made true behind the switch. What they recorded or changed meanwhile is brought along, and
 * what they took out is taken out.
 */
#include <bpf/bpf.h>
#include <errno.h>

#include "dataplane/flow_internal.h"
#include "dataplane/sets.h"

static bool entry_is_expired(const struct fw_flow_entry *entry, const struct flow_move *move)
{
	return (int32_t)(entry->expires - move->now) <= 0;
}

static bool table_has(int fd, const struct fw_flow_key *key)
{
	struct fw_flow_entry entry;

	return fd >= 0 && !bpf_map_lookup_elem(fd, key, &entry);
}

static int entry_put(const struct flow_move *move, const struct fw_flow_key *key,
		     const struct fw_flow_entry *entry, uint64_t flags)
{
	struct fw_flow_entry copy = *entry;

	copy.copied = FW_FLOW_COPIED(move->table);
	return bpf_map_update_elem(move->to, key, &copy, flags);
}

static int entry_copy(const struct fw_flow_key *key, const struct fw_flow_entry *entry, void *data)
{
	const struct flow_move *move = data;

	return entry_is_expired(entry, move) ? 0 : entry_put(move, key, entry, BPF_ANY);
}

/*
 * The programs went on with the old entry until the switch, and since then with the new one. Of
 * each side the entry counts that has seen more of its packets.
 */
static bool entry_merge(const struct fw_flow_entry *old, struct fw_flow_entry *new)
{
	bool changed = false;

	for (unsigned i = 0; i < FW_FLOW_DIRECTIONS; i++) {
		if (old->sides[i].packets <= new->sides[i].packets)
			continue;
		new->sides[i] = old->sides[i];
		changed = true;
	}
	if (changed && (int32_t)(old->expires - new->expires) > 0)
		new->expires = old->expires;
	return changed;
}

/* Of an entry of the old table, which no program uses any more. */
static int entry_follow(const struct fw_flow_key *key, const struct fw_flow_entry *entry,
			void *data)
{
	struct flow_move *move = data;
	struct fw_flow_entry new;
	int error = bpf_map_lookup_elem(move->to, key, &new);

	if (error == -ENOENT && entry_is_expired(entry, move))
		move->expired++;
	/* One that has moved on to the other table since the switch, or began anew there, stays. */
	else if (error == -ENOENT && !table_has(move->other, key))
		error = entry_put(move, key, entry, BPF_NOEXIST);
	else if (!error && new.copied == FW_FLOW_COPIED(move->table) && entry_merge(entry, &new))
		error = bpf_map_update_elem(move->to, key, &new, BPF_EXIST);
	return error == -EEXIST || error == -ENOENT ? 0 : error;
}

/* What the programs took out of the old table behind its copy would stand there again. */
static int entry_forget(const struct fw_flow_key *key, const struct fw_flow_entry *entry,
			void *data)
{
	const struct flow_move *move = data;

	if (entry->copied == FW_FLOW_COPIED(move->table) && !table_has(move->from, key))
		bpf_map_delete_elem(move->to, key);
	return 0;
}

int flow_move_begin(struct flow_move *move)
{
	move->now = boot_seconds();
	return flow_table_walk(move->from, entry_copy, move);
}

int flow_move_finish(struct dataplane *dataplane, struct flow_move *move)
{
	_cleanup_close_ int other = flow_place_open(dataplane->maps.flow_tables, !move->table);
	int error;

	move->other = other;
	move->now = boot_seconds();
	error = flow_table_walk(move->from, entry_follow, move);
	if (!error)
		error = flow_table_walk(move->to, entry_forget, move);
	__atomic_fetch_add(&dataplane->maps.ledger->deleted[move->table], move->expired,
			   __ATOMIC_RELAXED);
	return error;
}

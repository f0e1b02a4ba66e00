/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/principal.h"

#include "alloc/ledger.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *role_word(enum role role) {
    static const char *const words[] = {"none", "tenant", "auditor", "operator", "admin"};
    return words[role];
}

static bool is_among(const char *name, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

void principal_of(const struct principal_rule *rules, size_t n, bool is_default_admin, const char *user,
                  const char *const *groups, size_t n_groups, const char *behind, struct principal *out) {
    bool names_admin = false;
    out->role = ROLE_NONE;
    for (size_t i = 0; i < n; i++) {
        names_admin = names_admin || rules[i].role == ROLE_ADMIN;
        bool fits =
            rules[i].is_group ? is_among(rules[i].name, groups, n_groups) : strcmp(rules[i].name, user) == 0;
        if (fits && rules[i].role > out->role) out->role = rules[i].role;
    }
    if (!names_admin && is_default_admin) out->role = ROLE_ADMIN;
    text_format(out->actor, sizeof out->actor, behind ? "%s %.60s (%.40s)" : "%s %.60s", role_word(out->role),
                user, behind);
}

void principal_of_tenant(const char *tenant, struct principal *out) {
    out->role = ROLE_TENANT;
    text_format(out->actor, sizeof out->actor, "tenant %s", tenant);
}

static void user_name(uid_t uid, char *out, size_t size) {
    struct passwd entry, *found = NULL;
    char room[4096];
    if (getpwuid_r(uid, &entry, room, sizeof room, &found) == 0 && found)
        text_format(out, size, "%s", found->pw_name);
    else
        text_format(out, size, "uid-%u", (unsigned)uid);
}

static bool has_group(const char *name, const gid_t *gids, int n) {
    struct group entry, *found = NULL;
    char room[16384];
    if (getgrnam_r(name, &entry, room, sizeof room, &found) != 0 || !found) return false;
    for (int i = 0; i < n; i++)
        if (gids[i] == found->gr_gid) return true;
    return getegid() == found->gr_gid;
}

/* Whom root acts for, as sudo says; only root is believed, who could say anything anyway. */
static const char *behind_sudo(uid_t uid) {
    const char *name = uid == 0 ? getenv("SUDO_USER") : NULL;
    bool is_name = name && *name && strlen(name) <= 40 && strcmp(name, "root") != 0 &&
                   text_is_printable(name) && !strpbrk(name, " ()");
    return is_name ? name : NULL;
}

void principal_of_caller(const struct principal_rule *rules, size_t n, uid_t owner, struct principal *out) {
    uid_t uid = getuid();
    char user[64];
    gid_t gids[1024];
    int n_gids = 0;
    const char **groups = mem_alloc((n + 1) * sizeof *groups);
    size_t n_groups = 0;
    user_name(uid, user, sizeof user);
    for (size_t i = 0; i < n; i++) { /* only groups that a rule names are looked up: that can be slow */
        if (!rules[i].is_group) continue;
        if (n_gids == 0) n_gids = getgroups((int)(sizeof gids / sizeof *gids), gids);
        if (has_group(rules[i].name, gids, n_gids)) groups[n_groups++] = rules[i].name;
    }
    principal_of(rules, n, uid == 0 || uid == owner, user, groups, n_groups, behind_sudo(uid), out);
    free(groups);
}

struct refusal {
    const char *actor, *wanted;
    instant_t now;
};

static int note(struct store *s, void *arg, struct err *e) {
    const struct refusal *r = arg;
    struct book b;
    scoped_json json_t *detail = json_pack("{s:s}", "wanted", r->wanted);
    scoped_free char *text = json_dumps(detail, JSON_COMPACT);
    if (book_open(&b, s, 0, r->actor, r->now, e) < 0 || book_note(&b, "access.refused", 0, text, e) < 0)
        return -1;
    return book_close(&b, e);
}

int principal_note_refusal(struct store *s, const char *actor, const char *wanted, instant_t now,
                           struct err *e) {
    struct refusal r = {actor, wanted, now};
    return store_write(s, note, &r, e);
}

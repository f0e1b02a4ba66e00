/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens between runs: a file for each user and scope, replaced as a whole. */
#include "alloc/hash.h"
#include "alloc/json.h"
#include "alloc/log.h"
#include "alloc/text.h"
#include "backends/openstack_identity.h"
#include "backends/openstack_identity_token.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FORMAT = 1, FILE_MOST = 1 << 20 };

char *identity_cache_folder(void) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    struct text path = {0};
    if (cache && *cache == '/')
        text_add(&path, "%s/allot/tokens", cache);
    else if (home && *home == '/')
        text_add(&path, "%s/.cache/allot/tokens", home);
    return path.s;
}

struct token_key token_key(const struct cloud *c) {
    scoped_free char *root = identity_root(c->auth_url);
    scoped_json json_t *who =
        json_pack("[i, s, i, s?, s?, s?, s?, s?, s?, i, s?, s?, s?, s?, s?, s?]", FORMAT, root, (int)c->auth,
                  c->username, c->user_id, c->user_domain_id, c->user_domain_name, c->credential_id,
                  c->credential_name, (int)c->scope, c->project_id, c->project_name, c->project_domain_id,
                  c->project_domain_name, c->domain_id, c->domain_name);
    scoped_free char *canonical = json_canonical(who);
    struct token_key key;
    memcpy(key.hex, hash_of(canonical, strlen(canonical)).hex, sizeof key.hex);
    return key;
}

/* ---- reading ---- */

static int open_own(const char *path, struct stat *st) {
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return -1;
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) && st->st_uid == geteuid() && (st->st_mode & 077) == 0 &&
        st->st_size > 0 && st->st_size <= FILE_MOST)
        return fd;
    close(fd);
    return -1;
}

static bool may_text(const struct json_at *at, const char *key, char **out) {
    struct err e = {0};
    const char *s = NULL;
    if (json_may_text(at, key, 255, &s, &e) < 0) return false;
    *out = mem_copy(s);
    return true;
}

bool token_parse(const char *bytes, size_t length, struct token *out) {
    struct err e = {0};
    scoped_json json_t *document = json_load_text(bytes, length, "token", &e);
    struct json_at root = json_root(document, "token"), catalog, roles;
    int64_t format = 0, version = 0;
    const char *id = NULL;
    struct token t = {.from_cache = true};
    bool is_good = document && json_as_object(&root, &e) == 0 &&
                   json_need_int(&root, "format", FORMAT, FORMAT, &format, &e) == 0 &&
                   json_need_int(&root, "version", 2, 3, &version, &e) == 0 &&
                   json_need_int(&root, "expires", INSTANT_LEAST, INSTANT_MOST, &t.expires.s, &e) == 0 &&
                   json_need_int(&root, "skew", -INSTANT_MOST, INSTANT_MOST, &t.skew.s, &e) == 0 &&
                   json_need_text(&root, "id", 8192, &id, &e) == 0 &&
                   json_need_array(&root, "catalog", 0, 10000, &catalog, &e) == 0 &&
                   json_need_array(&root, "roles", 0, 10000, &roles, &e) == 0 &&
                   may_text(&root, "project_id", &t.project_id) &&
                   may_text(&root, "project_name", &t.project_name) && may_text(&root, "user_id", &t.user_id);
    if (!is_good) {
        token_free(&t);
        return false;
    }
    t.id = mem_copy(id);
    t.version = (int)version;
    t.catalog = json_deep_copy(catalog.value);
    t.roles = json_deep_copy(roles.value);
    *out = t;
    return true;
}

bool token_load(const char *folder, struct token_key key, instant_t now, struct token *out) {
    char path[PATH_MAX];
    struct stat st;
    struct token t = {0};
    if (!folder || text_format(path, sizeof path, "%s/%s", folder, key.hex) < 0) return false;
    scoped_fd int fd = open_own(path, &st);
    if (fd < 0) return false;
    scoped_free char *bytes = mem_alloc((size_t)st.st_size + 1);
    ssize_t n = read(fd, bytes, (size_t)st.st_size);
    if (n <= 0 || !token_parse(bytes, (size_t)n, &t)) return false;
    if (token_is_good(&t, now)) {
        *out = t;
        return true;
    }
    token_free(&t);
    return false;
}

/* ---- writing ---- */

/* The folder and what is above it. */
static int folders_make(const char *folder) {
    char path[PATH_MAX];
    if (text_format(path, sizeof path, "%s", folder) < 0) return -1;
    for (char *p = path + 1; *p; p++) {
        if (*p != '/') continue;
        *p = '\0';
        if (mkdir(path, 0700) < 0 && errno != EEXIST) return -1;
        *p = '/';
    }
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -1 : 0;
}

static int file_write(const char *path, const char *bytes, size_t length) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return -1;
    bool is_whole = write(fd, bytes, length) == (ssize_t)length;
    return close(fd) == 0 && is_whole ? 0 : -1;
}

void token_save(const char *folder, struct token_key key, const struct token *t) {
    char path[PATH_MAX], fresh[PATH_MAX], random[17];
    if (!folder) return;
    hash_random_hex(random, sizeof random);
    if (text_format(path, sizeof path, "%s/%s", folder, key.hex) < 0 ||
        text_format(fresh, sizeof fresh, "%s.%s", path, random) < 0)
        return;
    scoped_json json_t *document =
        json_pack("{s:i, s:i, s:I, s:I, s:s, s:O, s:O, s:s*, s:s*, s:s*}", "format", FORMAT, "version",
                  t->version, "expires", (json_int_t)t->expires.s, "skew", (json_int_t)t->skew.s, "id", t->id,
                  "catalog", t->catalog, "roles", t->roles, "project_id", t->project_id, "project_name",
                  t->project_name, "user_id", t->user_id);
    scoped_free char *bytes = json_dumps(document, JSON_COMPACT);
    if (bytes && folders_make(folder) == 0 && file_write(fresh, bytes, strlen(bytes)) == 0 &&
        rename(fresh, path) == 0)
        return;
    log_event(LOG_AT_INFO, "identity.cache",
              json_pack("{s:s, s:s}", "path", path, "error", bytes ? strerror(errno) : "not UTF-8"));
    unlink(fresh);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/simulated.h"

#include "alloc/fault.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

const char *thing_text(const json_t *thing, const char *key) {
    const char *s = json_string_value(json_object_get(thing, key));
    return s ? s : "";
}

int64_t thing_number(const json_t *thing, const char *key) {
    return json_integer_value(json_object_get(thing, key));
}

bool thing_is(const json_t *thing, const char *key) { return json_is_true(json_object_get(thing, key)); }

enum backend_kind thing_kind(const json_t *thing) {
    const char *word = thing_text(thing, "kind");
    for (int k = 0; backend_kind_words[k]; k++)
        if (strcmp(backend_kind_words[k], word) == 0) return (enum backend_kind)k;
    return json_object_get(thing, "flavor") ? BACKEND_SERVER : BACKEND_VOLUME; /* of an older file */
}

bool thing_is_allowance(const json_t *thing) { return strcmp(thing_text(thing, "kind"), "allowance") == 0; }

static char *pair(const char *host, const char *name) {
    struct text t = {0};
    text_add(&t, "%s/%s", host, name);
    return text_take(&t);
}

static const char *holder(const json_t *index, const char *host, const char *name) {
    char *key scoped_free = pair(host, name);
    return json_string_value(json_object_get(index, key));
}

const char *cloud_name_holder(const struct cloud *c, const char *host, const char *name) {
    return holder(c->names, host, name);
}

const char *cloud_slot_holder(const struct cloud *c, const char *host, const char *slot) {
    return holder(c->slots, host, slot);
}

const char *cloud_disk_user(const struct cloud *c, const char *token) {
    return json_string_value(json_object_get(c->disks, token));
}

int64_t cloud_used(const struct cloud *c, const char *host, const char *flavor) {
    char *key scoped_free = pair(host, flavor);
    return json_integer_value(json_object_get(c->used, key));
}

static void used_add(struct cloud *c, const char *host, const char *flavor, int64_t n) {
    char *key scoped_free = pair(host, flavor);
    json_object_set_new(c->used, key, json_integer(json_integer_value(json_object_get(c->used, key)) + n));
}

/* Enters the thing into the indexes (sign 1) or takes it out (sign -1). */
static void index_thing(struct cloud *c, const char *token, const json_t *thing, int sign) {
    const char *host = thing_text(thing, "host");
    char *name scoped_free = pair(host, thing_text(thing, "name"));
    if (sign > 0) json_object_set_new(c->names, name, json_string(token));
    if (sign < 0) json_object_del(c->names, name);
    size_t i;
    json_t *slot;
    json_array_foreach(json_object_get(thing, "slots"), i, slot) {
        char *key scoped_free = pair(host, json_string_value(slot));
        if (sign > 0) json_object_set_new(c->slots, key, json_string(token));
        if (sign < 0) json_object_del(c->slots, key);
    }
    json_t *disk;
    json_array_foreach(json_object_get(thing, "disks"), i, disk) {
        if (sign > 0) json_object_set_new(c->disks, json_string_value(disk), json_string(token));
        if (sign < 0) json_object_del(c->disks, json_string_value(disk));
    }
    if (json_object_get(thing, "flavor"))
        used_add(c, host, thing_text(thing, "flavor"), sign * thing_number(thing, "units"));
    else if (thing_kind(thing) == BACKEND_VOLUME)
        used_add(c, host, "/", sign * thing_number(thing, "bytes"));
}

const json_t *cloud_get(const struct cloud *c, const char *token) {
    return json_object_get(c->things, token);
}

void cloud_put(struct cloud *c, const char *token, json_t *thing) {
    const json_t *old = cloud_get(c, token);
    if (old) index_thing(c, token, old, -1);
    index_thing(c, token, thing, 1);
    json_object_set_new(c->things, token, thing);
    c->changed = true;
}

void cloud_drop(struct cloud *c, const char *token) {
    const json_t *old = cloud_get(c, token);
    if (!old) return;
    index_thing(c, token, old, -1);
    json_object_del(c->things, token);
    c->changed = true;
}

static int lock_take(struct cloud *c, int64_t deadline_ms, struct err *e) {
    char path[PATH_MAX];
    if (text_format(path, sizeof path, "%s.lock", c->path) < 0)
        return err_set(e, ERR_USAGE, "settings.file: the path is too long");
    c->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (c->lock < 0)
        return err_set(e, ERR_FAILED, "the simulated cloud %s cannot be opened: %s", path, strerror(errno));
    int64_t until = clock_monotonic_ms() + deadline_ms;
    while (flock(c->lock, LOCK_EX | LOCK_NB) < 0) {
        if (clock_monotonic_ms() >= until)
            return err_set(e, ERR_RETRY, "the simulated cloud %s is in use", c->path);
        nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
    return 0;
}

static int cloud_read(struct cloud *c, struct err *e) {
    FILE *file = fopen(c->path, "re");
    if (!file && errno == ENOENT) return 0;
    if (!file)
        return err_set(e, ERR_FAILED, "the simulated cloud %s cannot be read: %s", c->path, strerror(errno));
    char *line = NULL;
    size_t room = 0, number = 0;
    ssize_t n;
    int rc = 0;
    while (rc == 0 && (n = getline(&line, &room, file)) > 0) {
        json_error_t why;
        json_t *thing = json_loadb(line, (size_t)n, JSON_REJECT_DUPLICATES, &why);
        number++;
        const char *token = json_string_value(json_object_get(thing, "token"));
        if (!token || cloud_get(c, token)) {
            json_decref(thing);
            rc = err_set(e, ERR_FAILED, "%s:%zu: not a thing of a simulated cloud", c->path, number);
        } else {
            cloud_put(c, token, thing);
        }
    }
    if (rc == 0 && ferror(file))
        rc = err_set(e, ERR_FAILED, "the simulated cloud %s cannot be read: %s", c->path, strerror(errno));
    free(line);
    fclose(file);
    c->changed = false;
    return rc;
}

int cloud_open(struct cloud *c, const char *path, int64_t deadline_ms, struct err *e) {
    *c = (struct cloud){.path = path,
                        .lock = -1,
                        .things = json_object(),
                        .names = json_object(),
                        .slots = json_object(),
                        .disks = json_object(),
                        .used = json_object()};
    if (lock_take(c, deadline_ms, e) == 0 && cloud_read(c, e) == 0) return 0;
    cloud_close(c);
    return -1;
}

void cloud_close(struct cloud *c) {
    json_decref(c->things);
    json_decref(c->names);
    json_decref(c->slots);
    json_decref(c->disks);
    json_decref(c->used);
    if (c->lock >= 0) close(c->lock); /* and with it the lock */
    *c = (struct cloud){.lock = -1};
}

static int file_write(const struct cloud *c, const char *path, struct err *e) {
    FILE *file = fopen(path, "we");
    if (!file) return err_set(e, ERR_FAILED, "%s cannot be written: %s", path, strerror(errno));
    const char *token;
    json_t *thing;
    json_object_foreach(c->things, token, thing) {
        json_dumpf(thing, file, JSON_COMPACT);
        fputc('\n', file);
    }
    bool bad = fflush(file) != 0 || ferror(file) || fsync(fileno(file)) < 0;
    int why = errno;
    fclose(file);
    if (!bad) return 0;
    unlink(path);
    return err_set(e, ERR_FAILED, "%s cannot be written: %s", path, strerror(why));
}

static int folder_sync(const char *path, struct err *e) {
    char folder[PATH_MAX];
    if (text_format(folder, sizeof folder, "%s", path) < 0) return -1;
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = '\0';
    int fd scoped_fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return err_set(e, ERR_UNKNOWN, "the folder of %s cannot be synced: %s", path, strerror(errno));
    return 0;
}

int cloud_save(struct cloud *c, struct err *e) {
    char path[PATH_MAX];
    if (!c->changed) return 0;
    if (fault_point("sim.before-write", e) < 0) return -1;
    if (text_format(path, sizeof path, "%s.new", c->path) < 0)
        return err_set(e, ERR_USAGE, "settings.file: the path is too long");
    if (file_write(c, path, e) < 0) return -1;
    if (rename(path, c->path) < 0) {
        err_set(e, ERR_FAILED, "%s cannot be replaced: %s", c->path, strerror(errno));
        unlink(path);
        return -1;
    }
    c->changed = false;
    if (folder_sync(c->path, e) < 0) return -1;
    struct err fault = {0};
    if (fault_point("sim.after-write", &fault) < 0) return err_set(e, ERR_UNKNOWN, "%s", fault.what);
    return 0;
}

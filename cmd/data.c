/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/data.h"

#include "alloc/json.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

/* The folder in place i, or NULL past the last. Owned. */
static char *folder(int i) {
    char self[4096];
    struct text path = {0};
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (i == 0 && n > 0) {
        self[n] = '\0';
        char *slash = strrchr(self, '/');
        if (slash) *slash = '\0';
        text_add(&path, "%s/../policies", self);
    } else {
        text_add(&path, "%s/policies", ALLOT_DATADIR);
    }
    return i < 2 ? text_take(&path) : (text_free(&path), NULL);
}

char *data_policy_file(const char *name) {
    for (int i = 0; i < 2; i++) {
        scoped_free char *in = folder(i);
        struct text path = {0};
        text_add(&path, "%s/%s", in, name);
        if (access(path.s, R_OK) == 0) return text_take(&path);
        text_free(&path);
    }
    return NULL;
}

char *data_policy_places(void) {
    scoped_free char *beside = folder(0), *installed = folder(1);
    struct text places = {0};
    text_add(&places, "%s and in %s", beside, installed);
    return text_take(&places);
}

static void names_add(const char *in, const char *suffix, json_t *names) {
    DIR *d = opendir(in);
    size_t end = strlen(suffix);
    for (const struct dirent *entry; d && (entry = readdir(d));) {
        size_t n = strlen(entry->d_name);
        if (n <= end || strcmp(entry->d_name + n - end, suffix) != 0) continue;
        json_array_append_new(names, json_stringn(entry->d_name, n - end));
    }
    if (d) closedir(d);
}

json_t *data_policy_names(const char *suffix) {
    json_t *names = json_array();
    for (int i = 0; i < 2 && json_array_size(names) == 0; i++) {
        scoped_free char *in = folder(i);
        names_add(in, suffix, names);
    }
    return names;
}

json_t *data_catalogue(struct err *e) {
    scoped_free char *path = data_policy_file("accelerators.json");
    return path ? json_load_path(path, e) : json_null();
}

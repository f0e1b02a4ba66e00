/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/plugin.h"

#include "alloc/text.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static int name_check(const char *name, struct err *e) {
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
    if (n == 0 || name[n] || n > 32)
        return err_set(e, ERR_USAGE, "\"%.64s\" is not the name of a backend (lower case letters and digits)",
                       name);
    return 0;
}

static const struct backend *object_open(const char *path, const char *name, struct err *e) {
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!object) {
        const char *why = dlerror();
        err_set(e, ERR_FAILED, "backend %s cannot be opened: %s", name, why ? why : path);
        err_hint(e, "install the libraries that this backend needs");
        return NULL;
    }
    const struct backend *backend = dlsym(object, "allot_backend");
    if (!backend) {
        err_set(e, ERR_FAILED, "%s is not a backend of this program (no symbol allot_backend)", path);
    } else if (strcmp(backend->build_id, BACKEND_BUILD_ID) != 0) {
        err_set(e, ERR_FAILED, "%s is of another build (\"%.100s\", the program is \"%s\")", path,
                backend->build_id, BACKEND_BUILD_ID);
        err_hint(e, "install the program and its plug-ins together");
        backend = NULL;
    } else if (strcmp(backend->name, name) != 0) {
        err_set(e, ERR_FAILED, "%s calls itself \"%.64s\"", path, backend->name);
        backend = NULL;
    }
    return backend;
}

/* 1: opened or failed for good (*out, *e); 0: there is no such file. */
static int folder_try(const char *folder, const char *name, const struct backend **out, struct err *e) {
    char path[PATH_MAX];
    *out = NULL;
    if (text_format(path, sizeof path, "%s/backend-%s.so", folder, name) < 0) return 0;
    if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR)) return 0;
    *out = object_open(path, name, e);
    return 1;
}

static int program_folder(char *folder, size_t size) {
    ssize_t n = readlink("/proc/self/exe", folder, size - 1);
    if (n <= 0) return -1;
    folder[n] = '\0';
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder) return -1;
    *slash = '\0';
    return 0;
}

static const struct backend *not_found(const char *name, const char *where, struct err *e) {
    err_set(e, ERR_NOT_FOUND, "there is no backend \"%s\" (no backend-%s.so in %s)", name, name, where);
    return NULL;
}

const struct backend *plugin_open(const char *name, struct err *e) {
    const struct backend *backend;
    char folder[PATH_MAX], where[PATH_MAX + 64];
    if (name_check(name, e) < 0) return NULL;
    bool beside = program_folder(folder, sizeof folder) == 0;
    if (beside && folder_try(folder, name, &backend, e)) return backend;
    if (folder_try(ALLOT_LIBDIR, name, &backend, e)) return backend;
    (void)text_format(where, sizeof where, "%s%s%s", beside ? folder : "", beside ? " or " : "",
                      ALLOT_LIBDIR);
    return not_found(name, where, e);
}

const struct backend *plugin_open_from(const char *folder, const char *name, struct err *e) {
    const struct backend *backend;
    if (name_check(name, e) < 0) return NULL;
    if (folder_try(folder, name, &backend, e)) return backend;
    return not_found(name, folder, e);
}

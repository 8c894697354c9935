/* SPDX-License-Identifier: Apache-2.0 */
#include "host/upgrade/state.h"

#include "host/policy/url_policy.h"
#include "host/upgrade/phase.h"
#include "wire/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FORMAT = 1 };

/* The numbers of the file, each under its key. */
static const struct number_key {
    const char *key;
    size_t offset;
} number_keys[] = {
    {"done", offsetof(struct state, done)},
    {"total", offsetof(struct state, total)},
    {"changed", offsetof(struct state, changed)},
    {"starts", offsetof(struct state, starts)},
    {"reboot_at", offsetof(struct state, reboot_at)},
    {"record_inode", offsetof(struct state, stamp.inode)},
    {"record_modified_ns", offsetof(struct state, stamp.modified_ns)},
    {"unseen", offsetof(struct state, outcome_unknown)},
    {"request", offsetof(struct state, request)},
};

static const struct text_key {
    const char *key;
    size_t offset;
    size_t size;
} text_keys[] = {
    {"boot_id", offsetof(struct state, boot_id), sizeof(((struct state *)0)->boot_id)},
    {"version", offsetof(struct state, version), sizeof(((struct state *)0)->version)},
    {"detail", offsetof(struct state, detail), sizeof(((struct state *)0)->detail)},
};

enum {
    NUMBERS = sizeof number_keys / sizeof number_keys[0],
    TEXTS = sizeof text_keys / sizeof text_keys[0],
};

static void url_key(size_t index, char out[8])
{
    (void)snprintf(out, 8, "url_%u", (unsigned)index % 10);
}

bool state_add_url(struct state *state, const char *url)
{
    for (size_t i = 0; i < state->url_count; i++) {
        if (strcmp(state->urls[i], url) == 0) {
            return false;
        }
    }
    if (state->url_count == DOWNLOAD_MIRRORS_MAX || strlen(url) > URL_MAX) {
        return false;
    }
    memcpy(state->urls[state->url_count++], url, strlen(url) + 1);
    return true;
}

/* What a keyfile gives back is what was put in only if escaping leaves it alone. */
static bool survives_escaping(const char *text)
{
    char escaped[1];
    struct text whole = text_of(text);
    return escape_text(whole, ESCAPE_LINE, escaped, sizeof escaped) == whole.length;
}

static void set_urls(struct keyfile *file, const struct state *state)
{
    size_t written = 0;
    for (size_t i = 0; i < state->url_count; i++) {
        char key[8];
        char url[URL_MAX + 1];
        if (url_identity(state->urls[i], url, sizeof url) == 0 && survives_escaping(url)) {
            url_key(written++, key);
            keyfile_set(file, key, url);
        }
    }
}

int state_write(const struct state *state, int directory_fd, const char *name)
{
    struct keyfile file;
    char hex[SHA256_HEX + 1];
    sha256_format(state->sha256, hex);
    keyfile_init(&file);
    keyfile_set_number(&file, "format", FORMAT);
    keyfile_set(&file, "phase", phase_name(state->phase));
    keyfile_set(&file, "sha256", hex);
    keyfile_set_number(&file, "result", state->code);
    for (size_t i = 0; i < NUMBERS; i++) {
        uint64_t number;
        memcpy(&number, (const char *)state + number_keys[i].offset, sizeof number);
        keyfile_set_number(&file, number_keys[i].key, number);
    }
    for (size_t i = 0; i < TEXTS; i++) {
        keyfile_set(&file, text_keys[i].key, (const char *)state + text_keys[i].offset);
    }
    set_urls(&file, state);
    return keyfile_write(&file, directory_fd, name, 0600);
}

static bool get_identity(const struct keyfile *file, struct state *state)
{
    char phase[32];
    char hex[SHA256_HEX + 1];
    uint64_t format = 0;
    uint64_t code = 0;
    if (keyfile_get_number(file, "format", &format) != 0 || format != FORMAT ||
        keyfile_get(file, "phase", phase, sizeof phase) != 0 ||
        phase_find(phase, &state->phase) != 0 ||
        keyfile_get(file, "sha256", hex, sizeof hex) != 0 ||
        sha256_parse(text_of(hex), state->sha256) != 0 ||
        keyfile_get_number(file, "result", &code) != 0 || code > ERROR_LAST) {
        return false;
    }
    state->code = (enum error_code)code;
    return true;
}

static bool get_rest(const struct keyfile *file, struct state *state)
{
    for (size_t i = 0; i < NUMBERS; i++) {
        uint64_t number = 0;
        if (keyfile_get_number(file, number_keys[i].key, &number) != 0) {
            return false;
        }
        memcpy((char *)state + number_keys[i].offset, &number, sizeof number);
    }
    for (size_t i = 0; i < TEXTS; i++) {
        const struct text_key *text = &text_keys[i];
        if (keyfile_get(file, text->key, (char *)state + text->offset, text->size) != 0) {
            return false;
        }
    }
    return strlen(state->boot_id) == BOOT_ID_SIZE - 1;
}

static bool get_urls(const struct keyfile *file, struct state *state)
{
    for (size_t i = 0; i < DOWNLOAD_MIRRORS_MAX; i++) {
        char key[8];
        url_key(i, key);
        int error = keyfile_get(file, key, state->urls[i], sizeof state->urls[i]);
        if (error != 0) {
            return error == -ENOENT;
        }
        state->url_count = i + 1;
    }
    return true;
}

int state_read(int directory_fd, const char *name, struct state *ret)
{
    struct keyfile file;
    int error = keyfile_read(directory_fd, name, &file);
    if (error != 0) {
        return error == -EFBIG || error == -ELOOP ? -EBADMSG : error;
    }
    struct state state = {.phase = PHASE_IDLE};
    if (!get_identity(&file, &state) || !get_rest(&file, &state) || !get_urls(&file, &state)) {
        return -EBADMSG;
    }
    *ret = state;
    return 0;
}

void state_count_stored(struct state *state, int directory_fd)
{
    char hex[SHA256_HEX + 1];
    char name[SHA256_HEX + sizeof ".part"];
    struct stat status;
    sha256_format(state->sha256, hex);
    (void)snprintf(name, sizeof name, "%s.part", hex);
    if (state->phase != PHASE_DOWNLOADING ||
        fstatat(directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return;
    }
    uint64_t stored = (uint64_t)status.st_size;
    stored = state->total != 0 && stored > state->total ? state->total : stored;
    state->done = stored > state->done ? stored : state->done;
}

void state_queued_name(const uint8_t sha256[SHA256_SIZE], char out[STATE_QUEUED_NAME_SIZE])
{
    char hex[SHA256_HEX + 1];
    sha256_format(sha256, hex);
    (void)snprintf(out, STATE_QUEUED_NAME_SIZE, "queued.%s", hex);
}

static bool parse_queued_name(const char *name, uint8_t ret[SHA256_SIZE])
{
    static const char prefix[] = "queued.";
    size_t length = sizeof prefix - 1;
    return strncmp(name, prefix, length) == 0 && sha256_parse(text_of(name + length), ret) == 0;
}

int state_queued_remove(int directory_fd, const uint8_t sha256[SHA256_SIZE])
{
    char name[STATE_QUEUED_NAME_SIZE];
    state_queued_name(sha256, name);
    return unlinkat(directory_fd, name, 0) != 0 && errno != ENOENT ? -errno : 0;
}

/* The temporary file of a daemon that was killed while it recorded a request: the guest got no
 * answer yet. */
static bool is_unfinished(const char *name)
{
    uint8_t sha256[SHA256_SIZE];
    char whole[STATE_QUEUED_NAME_SIZE];
    const size_t length = sizeof whole - 1;
    if (strlen(name) != length + strlen(".new") || strcmp(name + length, ".new") != 0) {
        return false;
    }
    memcpy(whole, name, length);
    whole[length] = '\0';
    return parse_queued_name(whole, sha256);
}

int state_queued_list(int directory_fd, bool sweep, uint8_t (*ret)[SHA256_SIZE], size_t max,
                      size_t *count)
{
    int fd = file_open_directory(directory_fd, ".");
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (directory == NULL) {
        int error = fd < 0 ? fd : -errno;
        file_close(fd);
        return error;
    }
    size_t found = 0;
    const struct dirent *entry;
    errno = 0;
    while (found < max && (entry = readdir(directory)) != NULL) {
        found += parse_queued_name(entry->d_name, ret[found]) ? 1 : 0;
        if (sweep && is_unfinished(entry->d_name)) {
            (void)unlinkat(directory_fd, entry->d_name, 0); /* else at the next start */
        }
        errno = 0;
    }
    int error = -errno;
    (void)closedir(directory); /* nothing was written */
    *count = found;
    return error;
}

bool state_is_stale(const struct state *queued, const struct state *current)
{
    return queued->request <= current->request;
}

bool state_waits(const struct state *queued, const uint8_t sha256[SHA256_SIZE])
{
    return queued->phase == PHASE_QUEUED && queued->url_count != 0 &&
           memcmp(queued->sha256, sha256, SHA256_SIZE) == 0;
}

int state_compare_age(const struct state *a, const struct state *b)
{
    if (a->request != b->request) {
        return a->request < b->request ? -1 : 1;
    }
    if (a->changed != b->changed) {
        return a->changed < b->changed ? -1 : 1;
    }
    return memcmp(a->sha256, b->sha256, SHA256_SIZE);
}

struct upgrade_status state_status(const struct state *state)
{
    struct upgrade_status status = {
        .phase = (uint16_t)state->phase,
        .result = (uint16_t)state->code,
        .done = state->done,
        .total = state->total,
        .has_sha256 = true,
        .has_changed = true,
        .changed = state->changed,
        .detail = text_of(state->detail),
    };
    memcpy(status.sha256, state->sha256, SHA256_SIZE);
    return status;
}

void state_view(const struct state *state, struct pending_view *ret)
{
    ret->ended = state == NULL || phase_ended(state->phase);
    ret->code = state != NULL ? state->code : ERROR_NONE;
    ret->revision = 0;
    ret->has_progress = true;
    ret->status =
        state != NULL ? state_status(state) : (struct upgrade_status){.phase = PHASE_IDLE};
    (void)snprintf(ret->text, sizeof ret->text, "%s", state != NULL ? state->detail : "");
    ret->status.detail = text_of(ret->text);
}

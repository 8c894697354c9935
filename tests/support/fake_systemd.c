/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for systemd and logind on a bus of a test's own. usage: fake_systemd FOLDER
 *
 * FOLDER/units/NAME is a unit; one without a file is not installed. Each line is KEY=VALUE:
 *   error, message  StartUnit and RestartUnit are answered with this error
 *   mute            they are not answered
 *   run             a line for sh -c; the job ends with it: done at exit status 0 or 1, else failed
 *   job             the result of the job instead of that
 *   silent          JobRemoved is not sent
 *   active, sub, result   what the unit's properties say once the job has ended; words: one for each
 *                   time they are asked for, the last one from then on
 * FOLDER/logind holds the name of an error that ScheduleShutdown is answered with.
 * FOLDER/calls gets a line for each call that changes anything, FOLDER/asked one for each state that is
 * asked for: the unit, the property and what was answered; FOLDER/ready is made at the start. */
#include "wire/attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

enum { JOBS_MAX = 64, TEXT_MAX = 1024 };

#define OBJECT  "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"

/* A job of systemd's: of the unit that it was given for. */
struct upgrade {
    bool pending;
    char unit[TEXT_MAX];
    unsigned asked; /* how often the state was asked for since it ended */
};

static const char *folder;
static sd_bus *bus;
static sd_event *event;
static struct upgrade jobs[JOBS_MAX]; /* the number of a job is its place, and one more */
static unsigned jobs_count;
extern char **environ;

__attribute__((noreturn)) static void give_up(const char *what, int error)
{
    fprintf(stderr, "fake_systemd: %s: %s\n", what, strerror(error < 0 ? -error : error));
    exit(1);
}

static FILE *open_in_folder(const char *name, const char *mode)
{
    char path[2 * TEXT_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    return length > 0 && (size_t)length < sizeof path ? fopen(path, mode) : NULL;
}

/* True if the unit is there; `out` is the key's value, or "". */
static bool unit_get(const char *unit, const char *key, char out[TEXT_MAX])
{
    char name[2 * TEXT_MAX];
    char line[TEXT_MAX];
    size_t length = strlen(key);
    snprintf(name, sizeof name, "units/%s", unit);
    FILE *file = open_in_folder(name, "re");
    out[0] = '\0';
    if (file == NULL) {
        return false;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, key, length) == 0 && line[length] == '=') {
            snprintf(out, TEXT_MAX, "%s", line + length + 1);
        }
    }
    fclose(file);
    return true;
}

static bool unit_has(const char *unit, const char *key)
{
    char value[TEXT_MAX];
    return unit_get(unit, key, value) && value[0] != '\0';
}

static void note(const char *name, const char *format, ...) PRINTF_LIKE(2, 3);

static void note(const char *name, const char *format, ...)
{
    va_list arguments;
    FILE *file = open_in_folder(name, "ae");
    if (file == NULL) {
        give_up(name, errno);
    }
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
    fputc('\n', file);
    fclose(file);
}

/* --- jobs --- */

static void job_path(unsigned number, char out[TEXT_MAX])
{
    snprintf(out, TEXT_MAX, OBJECT "/job/%u", number);
}

static struct upgrade *last_job(const char *unit)
{
    for (unsigned i = jobs_count; i > 0; i--) {
        if (strcmp(jobs[i - 1].unit, unit) == 0) {
            return &jobs[i - 1];
        }
    }
    return NULL;
}

static void end_job(unsigned number, const char *how)
{
    struct upgrade *job = &jobs[number - 1];
    char path[TEXT_MAX];
    char result[TEXT_MAX];
    job_path(number, path);
    job->pending = false;
    unit_get(job->unit, "job", result);
    if (unit_has(job->unit, "silent")) {
        return;
    }
    int error = sd_bus_emit_signal(bus, OBJECT, MANAGER, "JobRemoved", "uoss", number, path,
                                   job->unit, result[0] != '\0' ? result : how);
    if (error < 0) {
        give_up("JobRemoved", error);
    }
}

static int on_exit_of_run(sd_event_source *source, const siginfo_t *info, void *context)
{
    unsigned number = (unsigned)((struct upgrade *)context - jobs) + 1;
    (void)source; /* the event loop has it */
    bool well = info->si_code == CLD_EXITED && info->si_status <= 1;
    end_job(number, well ? "done" : "failed");
    return 0;
}

static void run(unsigned number, const char *line)
{
    char *const argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, strdup(line), NULL};
    sigset_t none;
    posix_spawnattr_t attributes;
    pid_t pid = 0;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    int error = posix_spawn(&pid, argv[0], NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    free(argv[2]);
    if (error != 0) {
        give_up(line, error);
    }
    error = sd_event_add_child(event, NULL, pid, WEXITED, on_exit_of_run, &jobs[number - 1]);
    if (error < 0) {
        give_up("sd_event_add_child", error);
    }
}

/* --- the calls --- */

static int answer_error(sd_bus_message *call, const char *name, const char *message)
{
    sd_bus_error error = SD_BUS_ERROR_MAKE_CONST(name, message);
    return sd_bus_reply_method_error(call, &error);
}

static int start_unit(sd_bus_message *call, const char *method)
{
    const char *unit = NULL;
    const char *mode = NULL;
    char text[TEXT_MAX];
    char message[TEXT_MAX];
    char path[TEXT_MAX];
    int error = sd_bus_message_read(call, "ss", &unit, &mode);
    if (error < 0) {
        return error;
    }
    note("calls", "%s %s %s", method, unit, mode);
    if (!unit_get(unit, "error", text)) {
        snprintf(message, sizeof message, "Unit %s not found.", unit);
        return answer_error(call, "org.freedesktop.systemd1.NoSuchUnit", message);
    }
    if (text[0] != '\0') {
        unit_get(unit, "message", message);
        return answer_error(call, text, message);
    }
    if (jobs_count == JOBS_MAX) {
        give_up("too many jobs", ENOSPC);
    }
    struct upgrade *job = &jobs[jobs_count++];
    unsigned number = jobs_count;
    job->pending = true;
    snprintf(job->unit, sizeof job->unit, "%s", unit);
    job_path(number, path);
    if (!unit_has(unit, "mute")) {
        error = sd_bus_reply_method_return(call, "o", path);
    }
    unit_get(unit, "run", text);
    if (text[0] != '\0') {
        run(number, text);
    } else {
        end_job(number, "done");
    }
    return error < 0 ? error : 1;
}

/* The word that it is the turn of. */
static void state_of(const char *unit, const char *key, const char *otherwise, unsigned asked,
                     char out[TEXT_MAX])
{
    char words[TEXT_MAX];
    unit_get(unit, key, words);
    snprintf(out, TEXT_MAX, "%s", otherwise);
    char *rest = NULL;
    char *word = strtok_r(words, " ", &rest);
    for (unsigned i = 0; word != NULL && i <= asked; i++) {
        snprintf(out, TEXT_MAX, "%s", word);
        word = strtok_r(NULL, " ", &rest);
    }
}

static int get_job(sd_bus_message *call, const struct upgrade *job)
{
    char path[TEXT_MAX] = "/";
    unsigned number = 0;
    if (job != NULL && job->pending) {
        number = (unsigned)(job - jobs) + 1;
        job_path(number, path);
    }
    return sd_bus_reply_method_return(call, "v", "(uo)", number, path);
}

static int get_property(sd_bus_message *call)
{
    static const struct {
        const char *property, *key, *pending, *otherwise;
    } states[] = {
        {"ActiveState", "active", "activating", "inactive"},
        {"SubState", "sub", "start", "dead"},
        {"Result", "result", "success", "success"},
    };
    const char *interface = NULL;
    const char *property = NULL;
    char *unit = NULL;
    char value[TEXT_MAX] = "";
    int error = sd_bus_message_read(call, "ss", &interface, &property);
    if (error < 0 ||
        sd_bus_path_decode(sd_bus_message_get_path(call), OBJECT "/unit", &unit) <= 0) {
        return error < 0 ? error : -EINVAL;
    }
    struct upgrade *job = last_job(unit);
    bool pending = job != NULL && job->pending;
    if (strcmp(property, "Job") == 0) {
        free(unit);
        return get_job(call, job);
    }
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(property, states[i].property) == 0 && pending) {
            snprintf(value, sizeof value, "%s", states[i].pending);
        } else if (strcmp(property, states[i].property) == 0) {
            state_of(unit, states[i].key, states[i].otherwise, job != NULL ? job->asked : 0, value);
        }
    }
    if (job != NULL && !pending && strcmp(property, "Result") == 0) {
        job->asked++; /* it is asked for last */
    }
    note("asked", "%s %s %s", unit, property, value);
    free(unit);
    return sd_bus_reply_method_return(call, "v", "s", value);
}

static int schedule_shutdown(sd_bus_message *call)
{
    char line[TEXT_MAX] = "";
    const char *kind = NULL;
    uint64_t usec = 0;
    int error = sd_bus_message_read(call, "st", &kind, &usec);
    if (error < 0) {
        return error;
    }
    note("calls", "ScheduleShutdown %s %llu", kind, (unsigned long long)usec);
    FILE *file = open_in_folder("logind", "re");
    if (file == NULL) {
        return sd_bus_reply_method_return(call, "");
    }
    if (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
    }
    fclose(file);
    return answer_error(call, line, "said the test");
}

static int on_call(sd_bus_message *message, void *context, sd_bus_error *error)
{
    (void)context;
    (void)error;
    const char *member = sd_bus_message_get_member(message);
    if (sd_bus_message_is_method_call(message, NULL, NULL) <= 0 || member == NULL) {
        return 0;
    }
    if (strcmp(member, "StartUnit") == 0 || strcmp(member, "RestartUnit") == 0) {
        return start_unit(message, member);
    }
    if (strcmp(member, "Get") == 0) {
        return get_property(message);
    }
    if (strcmp(member, "Subscribe") == 0) {
        return sd_bus_reply_method_return(message, "");
    }
    return strcmp(member, "ScheduleShutdown") == 0 ? schedule_shutdown(message) : 0;
}

static int on_disconnect(sd_bus_message *message, void *context, sd_bus_error *error)
{
    (void)message;
    (void)context;
    (void)error;
    return sd_event_exit(event, 0);
}

static void must(int result, const char *what)
{
    if (result < 0) {
        give_up(what, result);
    }
}

int main(int argc, char *argv[])
{
    sigset_t blocked;
    if (argc != 2) {
        fputs("usage: fake_systemd FOLDER\n", stderr);
        return 2;
    }
    folder = argv[1];
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    must(sd_event_default(&event), "sd_event_default");
    must(sd_bus_open_system(&bus), "the bus");
    must(sd_bus_add_filter(bus, NULL, on_call, NULL), "filter");
    must(sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus.Local", NULL,
                             "org.freedesktop.DBus.Local", "Disconnected", on_disconnect, NULL),
         "match");
    must(sd_bus_request_name(bus, "org.freedesktop.systemd1", 0), "the name of systemd");
    must(sd_bus_request_name(bus, "org.freedesktop.login1", 0), "the name of logind");
    must(sd_bus_attach_event(bus, event, 0), "sd_bus_attach_event");
    FILE *ready = open_in_folder("ready", "we");
    if (ready == NULL) {
        give_up("ready", errno);
    }
    fclose(ready);
    must(sd_event_loop(event), "loop");
    sd_bus_flush_close_unref(bus);
    sd_event_unref(event);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/message.h"

static const struct {
    const char *name;
    bool query;
    enum payload_kind answer;
} commands[COMMAND_LAST + 1] = {
#define COMMAND_ROW(id, number, name, query, answer, ...) \
    [number] = {(name), (query), PAYLOAD_##answer},
    COMMANDS(COMMAND_ROW)};

#define NAME(id, number, name, ...) [number] = (name),
static const char *const payloads[PAYLOAD_LAST + 1] = {PAYLOADS(NAME)};
static const char *const phases[PHASE_LAST + 1] = {PHASES(NAME)};
static const char *const errors[ERROR_LAST + 1] = {ERRORS(NAME)};

const char *command_name(unsigned command)
{
    return command <= COMMAND_LAST ? commands[command].name : NULL;
}

const char *phase_name(unsigned phase)
{
    return phase <= PHASE_LAST ? phases[phase] : NULL;
}

const char *error_name(unsigned code)
{
    return code <= ERROR_LAST ? errors[code] : NULL;
}

const char *payload_name(unsigned kind)
{
    return kind <= PAYLOAD_LAST ? payloads[kind] : NULL;
}

enum command command_find(const char *name)
{
    for (unsigned i = COMMAND_NONE + 1; i <= COMMAND_LAST; i++) {
        if (commands[i].name != NULL && strcmp(commands[i].name, name) == 0) {
            return (enum command)i;
        }
    }
    return COMMAND_NONE;
}

bool command_is_query(enum command command)
{
    return (unsigned)command <= COMMAND_LAST && commands[command].query;
}

enum payload_kind command_answer(enum command command)
{
    return (unsigned)command <= COMMAND_LAST ? commands[command].answer : PAYLOAD_NONE;
}

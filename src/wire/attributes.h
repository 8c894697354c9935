/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes that gcc and clang share, under short names. */
#ifndef WIRE_ATTRIBUTES_H
#define WIRE_ATTRIBUTES_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first_argument) \
    __attribute__((format(printf, format_index, first_argument)))

#endif

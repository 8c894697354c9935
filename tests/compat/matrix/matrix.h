/* SPDX-License-Identifier: Apache-2.0 */
/* The compatibility matrix: both directions, each with its own table of literals. */
#ifndef MATRIX_MATRIX_H
#define MATRIX_MATRIX_H

/* CUnit tests. */
void matrix_host(void);
void matrix_guest(void);
void matrix_at_most_once(void);

#define MATRIX_MESSAGE "Update finished.\nAll is \"well\"."

#endif

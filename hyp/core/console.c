/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One terminal for the hypervisor and all domains.
 *
 * Input goes to the domain in focus; Ctrl-A three times moves the focus on, as
 * in Xen. What the domain in focus writes appears byte by byte, so that a prompt
 * shows and a person can type; other domains' lines are held until complete and
 * freed of control characters. A line that arrives while the focused one is
 * unfinished is put above it: the unfinished part is shown again below.
 *
 * The control domain writes and reads by console_io and hears of input by
 * VIRQ_CONSOLE; every other domain has a ring page, whose indices the guest may
 * have set to anything.
 */
#include "core_internal.h"
#include "hypercall.h"

#define LINE_BYTES 240u           /* a longer line is cut in two */
#define INPUT_BYTES 512u          /* typed ahead; a power of two */
#define CTRL_A 1
#define SWITCH_COUNT 3u
#define WRITE_MAX 16384u          /* one console_io call */
#define PIECE 256u

enum escape { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_CSI };

struct terminal {
	char line[LINE_BYTES];    /* unfinished line: held back, or on the screen if in focus */
	uint32_t length;
	bool returned;            /* the last byte was CR */
	uint8_t escape;           /* enum escape: what is being swallowed, out of focus */
	char input[INPUT_BYTES];
	uint32_t input_in, input_out;
	uint32_t out_cons, in_prod; /* our ends of the ring; the guest can't change these */
};

static struct terminal terminals[DOMAINS_MAX];
static struct domain *focus;      /* NULL: nobody left */
static bool unfinished;           /* part of a line of the domain in focus is on the screen */
static uint32_t switch_presses;

static char out[512];
static size_t out_length;

static void flush(void)
{
	if (out_length)
		nuc_console_write(out, out_length);
	out_length = 0;
}

static void put(char c)
{
	if (out_length == sizeof(out))
		flush();
	out[out_length++] = c;
}

static void put_bytes(const char *bytes, size_t n)
{
	while (n--)
		put(*bytes++);
}

static void put_text(const char *text)
{
	put_bytes(text, strlen(text));
}

static void put_prefix(const struct domain *d)
{
	if (!d) {
		put_text("ravelin: ");
	} else if (!options.no_prefix) {
		put('[');
		put_text(d->name);
		put_text("] ");
	}
}

static struct terminal *terminal_of(const struct domain *d)
{
	return &terminals[d->id];
}

/* The focused domain's unfinished line, at the start of a screen line. */
static void redraw(void)
{
	const struct terminal *t;

	if (!focus || !terminal_of(focus)->length)
		return;
	t = terminal_of(focus);
	put_prefix(focus);
	put_bytes(t->line, t->length);
	unfinished = true;
}

static void line_above(const struct domain *d, const char *text, size_t n)
{
	bool was = unfinished;

	if (was)
		put_text("\r\n");
	unfinished = false;
	put_prefix(d);
	put_bytes(text, n);
	put_text("\r\n");
	if (was)
		redraw();
}

void console_line(const struct domain *d, const char *text, size_t n)
{
	line_above(d, text, n);
	flush();
}

/* ---- output ----------------------------------------------------------------- */

static void keep(struct terminal *t, char c)
{
	if (c == '\b') {
		t->length -= t->length > 0;
	} else if (t->length < LINE_BYTES) {
		t->line[t->length++] = c;
	}
}

static void focused_byte(struct domain *d, struct terminal *t, char c)
{
	if (c == '\n') {
		if (!unfinished)
			put_prefix(d);
		put_text("\r\n");
		unfinished = false;
		t->length = 0;
		t->returned = false;
		return;
	}
	if (t->returned) {
		/* Back to the start of the line, which is after the prefix. */
		t->returned = false;
		t->length = 0;
		if (unfinished)
			put('\r');
		unfinished = false;
	}
	if (c == '\r') {
		t->returned = true;
		return;
	}
	if (!unfinished)
		put_prefix(d);
	unfinished = true;
	put(c);
	keep(t, c);
}

/* Swallows escape sequences; true for a byte to be shown. */
static bool printable(struct terminal *t, char c)
{
	switch (t->escape) {
	case ESCAPE_BEGUN:
		t->escape = c == '[' ? ESCAPE_CSI : ESCAPE_NONE;
		return false;
	case ESCAPE_CSI: /* parameters, then one final byte 0x40 .. 0x7e (ECMA-48, 5.4) */
		if (c >= 0x40 && c <= 0x7e)
			t->escape = ESCAPE_NONE;
		return false;
	default:
		if (c == 0x1b)
			t->escape = ESCAPE_BEGUN;
		return c == '\t' || c == '\b' || ((uint8_t)c >= 0x20 && c != 0x7f);
	}
}

static void held_byte(struct domain *d, struct terminal *t, char c)
{
	if (c == '\n') {
		line_above(d, t->line, t->length);
		t->length = 0;
		t->returned = false;
		t->escape = ESCAPE_NONE;
		return;
	}
	if (t->returned) {
		t->returned = false;
		t->length = 0;
	}
	if (c == '\r') {
		t->returned = true;
		return;
	}
	if (!printable(t, c))
		return;
	if (t->length == LINE_BYTES) {
		line_above(d, t->line, t->length);
		t->length = 0;
	}
	keep(t, c);
}

void console_guest_output(struct domain *d, const char *bytes, size_t n)
{
	struct terminal *t = terminal_of(d);

	for (; n; n--, bytes++) {
		if (d == focus)
			focused_byte(d, t, *bytes);
		else
			held_byte(d, t, *bytes);
	}
	flush();
}

/* ---- focus ------------------------------------------------------------------ */

static void set_focus(struct domain *d)
{
	char text[PACK_NAME_MAX + 64];
	size_t n;

	if (unfinished)
		put_text("\r\n");
	unfinished = false;
	focus = d;
	if (!d)
		return;
	n = format_text(text, sizeof(text), "input goes to domain %s (Ctrl-A three times: the next)",
			d->name);
	line_above(NULL, text, n);
	redraw();
	flush();
}

/* The next live domain after `from`, round and round; NULL when there is none. */
static struct domain *next_live(const struct domain *from)
{
	uint32_t start = from ? from->id : DOMAINS_MAX - 1;

	for (uint32_t i = 1; i <= DOMAINS_MAX; i++) {
		struct domain *d = &domains[(start + i) % DOMAINS_MAX];

		if (d->live && !d->dying)
			return d;
	}
	return NULL;
}

void console_init(void)
{
	memset(terminals, 0, sizeof(terminals));
	focus = NULL;
	unfinished = false;
	switch_presses = 0;
	out_length = 0;
}

void console_domain_start(struct domain *d)
{
	memset(terminal_of(d), 0, sizeof(struct terminal));
	/* The control domain is the one to talk to, whenever it comes. */
	if (!focus || (d->control && focus != d))
		set_focus(d);
}

static void drain_ring(struct domain *d);

void console_domain_end(struct domain *d)
{
	struct terminal *t = terminal_of(d);

	if (d->console_ring)
		drain_ring(d);
	if (d == focus) {
		if (unfinished)
			put_text("\r\n");
		unfinished = false;
	} else if (t->length) {
		line_above(d, t->line, t->length);
	}
	t->length = 0;
	flush();
	if (d == focus)
		set_focus(next_live(d));
}

/* ---- input ------------------------------------------------------------------ */

static void push_ring(struct domain *d)
{
	struct xencons_interface *ring = d->console_ring;
	struct terminal *t = terminal_of(d);
	uint32_t used;
	bool pushed = false;

	if (!ring)
		return;
	used = t->in_prod - __atomic_load_n(&ring->in_cons, __ATOMIC_ACQUIRE);
	/* More than full: the guest's index is wrong, and nothing fits. */
	for (; used < sizeof(ring->in) && t->input_out != t->input_in; used++) {
		ring->in[t->in_prod++ % sizeof(ring->in)] = t->input[t->input_out++ % INPUT_BYTES];
		pushed = true;
	}
	if (!pushed)
		return;
	__atomic_store_n(&ring->in_prod, t->in_prod, __ATOMIC_RELEASE);
	evtchn_raise(d, d->console_port);
}

static void type(struct domain *d, char c)
{
	struct terminal *t = terminal_of(d);

	if (t->input_in - t->input_out < INPUT_BYTES)
		t->input[t->input_in++ % INPUT_BYTES] = c;
}

static void deliver_input(struct domain *d)
{
	if (d->control)
		evtchn_raise_virq(d->vcpus[0], VIRQ_CONSOLE);
	else
		push_ring(d);
}

void console_input(void)
{
	int c;

	while ((c = nuc_console_read()) >= 0) {
		if (c == CTRL_A) {
			if (++switch_presses < SWITCH_COUNT)
				continue;
			switch_presses = 0;
			if (focus)
				deliver_input(focus);
			set_focus(next_live(focus));
			continue;
		}
		if (!focus)
			continue;
		/* It was no switch after all: the guest gets what was held back. */
		for (; switch_presses; switch_presses--)
			type(focus, CTRL_A);
		type(focus, (char)c);
	}
	if (focus)
		deliver_input(focus);
}

/* ---- the PV ring ------------------------------------------------------------ */

static void drain_ring(struct domain *d)
{
	struct xencons_interface *ring = d->console_ring;
	struct terminal *t = terminal_of(d);
	uint32_t prod = __atomic_load_n(&ring->out_prod, __ATOMIC_ACQUIRE);
	char piece[128];

	if (prod - t->out_cons > sizeof(ring->out)) {
		domain_note(d, "console ring: out_prod is %u with out_cons %u: output dropped", prod,
			    t->out_cons);
		t->out_cons = prod;
	}
	while (t->out_cons != prod) {
		uint32_t n = 0;

		while (t->out_cons != prod && n < sizeof(piece))
			piece[n++] = ring->out[t->out_cons++ % sizeof(ring->out)];
		console_guest_output(d, piece, n);
	}
	__atomic_store_n(&ring->out_cons, t->out_cons, __ATOMIC_RELEASE);
}

void console_ring_event(struct domain *d)
{
	uint32_t before = terminal_of(d)->out_cons;

	if (!d->console_ring)
		return;
	drain_ring(d);
	push_ring(d);
	if (terminal_of(d)->out_cons != before)
		evtchn_raise(d, d->console_port);
}

/* ---- console_io ------------------------------------------------------------- */

static long io_write(uint64_t buffer, uint64_t count)
{
	char piece[PIECE];

	if (count > WRITE_MAX)
		return -E2BIG;
	while (count) {
		uint64_t n = min_u64(count, sizeof(piece));
		struct vcpu *v;

		if (nuc_copy_in(piece, gva_of(buffer), n))
			return -EFAULT;
		v = hypercall_begin();
		if (!v)
			return -CORE_EINTR;
		console_guest_output(v->domain, piece, n);
		core_unlock();
		buffer += n;
		count -= n;
	}
	return 0;
}

static long io_read(uint64_t buffer, uint64_t count)
{
	char piece[PIECE];
	struct terminal *t;
	struct vcpu *v = hypercall_begin();
	uint64_t n = 0;

	if (!v)
		return -CORE_EINTR;
	if (!v->domain->control) {
		core_unlock();
		return -EPERM;
	}
	t = terminal_of(v->domain);
	while (n < count && n < sizeof(piece) && t->input_out != t->input_in)
		piece[n++] = t->input[t->input_out++ % INPUT_BYTES];
	core_unlock();
	if (n && nuc_copy_out(gva_of(buffer), piece, n))
		return -EFAULT;
	return (long)n;
}

long hypercall_console_io(uint64_t cmd, uint64_t count, uint64_t buffer, uint64_t a4, uint64_t a5)
{
	(void)a4, (void)a5;
	count = (uint32_t)count;
	switch ((uint32_t)cmd) {
	case CONSOLEIO_write:
		return io_write(buffer, count);
	case CONSOLEIO_read:
		return io_read(buffer, count);
	default:
		return -ENOSYS;
	}
}

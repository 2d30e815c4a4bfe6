/* A "kernel" whose types carry flavours, come more than once, and agree or disagree with each other. */
#include "core.h"
#define HAVE(type, name) type have_##name;

enum colour___old { RED___old = 10, GREEN___old = 11 };
enum colour___new { RED___new = 10, GREEN = 12, BLUE = 1 };
enum colour___64 { GREEN_64 = 0x100000000ULL, MISSING_COLOUR___64 = 0x200000000ULL };
typedef enum colour___old colour_t___x;
typedef enum colour___new colour_t;

struct inner___a { int x; int y[3]; };
struct inner___b { int x; int y[3]; long more; };

/* the same answers from all for id and counter, different ones for name, gone and the rest */
struct basic___1 { int id; unsigned long counter; char name[16]; int pad; int gone; };
struct basic___2 { int id; unsigned long counter; int pad; char name[16]; };
struct basic___3 { int id; unsigned long counter; struct inner___a in; char real; };
struct basic_no_flavour___ { int id; };
struct basic____four { long shifted; int id; };
struct two { int first; };
struct two___kinds___deeper { int a; int first; };
union two___b { int first; };

/* every relocation of one type in one program leaves fewer candidates */
struct pruned___a { int two; int pad; int one; };
struct pruned___b { int pad; int pad2; int one; int two; };
struct pruned___c { int pad; int two; };

struct duplicated___a { int same; long other; };
struct duplicated___b { int same; int other; };
struct bits___a { u32 a : 3; u32 b : 7; u32 plain; };
struct bits___b { u32 a : 3; u32 other : 2; u32 b : 7; int plain; };
struct sizes___a { u32 w; u32 d; };
struct sizes___b { u32 w; u64 d; };
struct ref_a___same { struct ref_a *self; enum colour___old c; };
struct matches___x { int a; struct inner___a *p; int (*fn)(int, long); };
struct matches___y { int a; struct inner___a *p; int (*fn)(int, int); };

HAVE(enum colour___old, c1)
HAVE(enum colour___new, c2)
HAVE(enum colour___64, c3)
HAVE(colour_t___x, c4)
HAVE(colour_t, c5)
HAVE(struct inner___a, i1)
HAVE(struct inner___b, i2)
HAVE(struct basic___1, b1)
HAVE(struct basic___2, b2)
HAVE(struct basic___3, b3)
HAVE(struct basic_no_flavour___, b4)
HAVE(struct basic____four, b5)
HAVE(struct two, t1)
HAVE(struct two___kinds___deeper, t2)
HAVE(union two___b, t3)
HAVE(struct pruned___a, p1)
HAVE(struct pruned___b, p2)
HAVE(struct pruned___c, p3)
HAVE(struct duplicated___a, d1)
HAVE(struct duplicated___b, d2)
HAVE(struct bits___a, bits1)
HAVE(struct bits___b, bits2)
HAVE(struct sizes___a, s1)
HAVE(struct sizes___b, s2)
HAVE(struct ref_a___same, r1)
HAVE(struct matches___x, m1)
HAVE(struct matches___y, m2)

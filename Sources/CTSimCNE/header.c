// The header is the module; this file makes the compiler read it as plain C as well.
#include "tsimcne.h"

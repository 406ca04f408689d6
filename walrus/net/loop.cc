#include "walrus/net/loop.h"

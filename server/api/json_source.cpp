// Boost.JSON, compiled once: its library need not be installed.
#include <boost/json/src.hpp>

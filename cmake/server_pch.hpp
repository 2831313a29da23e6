// Precompiled for the server layer: the headers that cost seconds to parse.
#pragma once
#include <boost/asio.hpp>
#include <memory>
#include <string>
#include <vector>

"""The city's exchange (城市数据交换): what departments of city, province and nation hold, asked over signed HTTP."""

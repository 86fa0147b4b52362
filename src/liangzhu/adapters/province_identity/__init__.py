"""The province's unified identity (省统一身份认证): client and simulator."""

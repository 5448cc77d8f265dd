# What testssl.sh (package testssl.sh) says of the SMTP server as `posta init`
# makes it: nothing above "low", but for its certificate, which nobody signed.
# It takes a minute or two.
testssl: all
	@POSTA_BUILD=$(O) /usr/bin/python3 t/tools/testssl.py

.PHONY: testssl

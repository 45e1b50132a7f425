rem ---- what the steps above are made of: cmd, certutil, cscript, openssl, and the stores' own programs

:need
if defined %~1 exit /b 0
echo runbook: set %~1 first: %~2 1>&2
exit /b 2

:digest
set "SEEN=absent"
if not exist "%~1" exit /b 0
for /f "skip=1 tokens=* delims=" %%D in ('certutil -hashfile "%~1" SHA256') do if "!SEEN!"=="absent" set "SEEN=%%D"
set "SEEN=%SEEN: =%"
exit /b 0

:unchanged
set "KNOWN=%~2"
if exist "%BACKUP%\now\%~3" set /p KNOWN=<"%BACKUP%\now\%~3"
call :digest "%ROOT%%~1"
if /i "%SEEN%"=="%KNOWN%" exit /b 0
echo runbook: %~1 is not what the plan saw; nothing of it was changed: scan and plan again 1>&2
exit /b 3

:save
if exist "%BACKUP%\%STEP%\%~2" exit /b 0
if exist "%BACKUP%\%STEP%\%~2.absent" exit /b 0
if exist "%ROOT%%~1" (copy /b /y "%ROOT%%~1" "%BACKUP%\%STEP%\%~2" >nul) else (type nul >"%BACKUP%\%STEP%\%~2.absent")
exit /b %ERRORLEVEL%

:restore
if exist "%BACKUP%\%STEP%\%~2.absent" del /q "%ROOT%%~1" 2>nul
if exist "%BACKUP%\%STEP%\%~2" (
  copy /b /y "%BACKUP%\%STEP%\%~2" "%ROOT%%~1.capgrow" >nul || exit /b 3
  move /y "%ROOT%%~1.capgrow" "%ROOT%%~1" >nul || exit /b 3
)
call :record "%~1" "%~2"
exit /b 0

:record
call :digest "%ROOT%%~1"
>"%BACKUP%\now\%~2" echo %SEEN%
exit /b 0

:copy
set "NEW=%ROOT%%~dp1capgrow.%~nx1"
set "NEW=%ROOT%%~2\capgrow.%~nx1"
if not exist "%ROOT%%~2" md "%ROOT%%~2"
if exist "%ROOT%%~1" (copy /b /y "%ROOT%%~1" "%NEW%" >nul) else (type nul >"%NEW%")
if /i "%~x1"==".kdb" for %%E in (sth rdb crl) do if exist "%ROOT%%~2\%~n1.%%E" copy /b /y "%ROOT%%~2\%~n1.%%E" "%ROOT%%~2\capgrow.%~n1.%%E" >nul
exit /b %ERRORLEVEL%

:place
if /i "%~x1"==".kdb" for %%E in (sth rdb crl) do del /q "%ROOT%%~2\capgrow.%~n1.%%E" 2>nul
move /y "%NEW%" "%ROOT%%~1" >nul || exit /b 3
call :record "%~1" "%~3"
exit /b 0

:leaves
call :digest "%ROOT%%~1"
if /i "%SEEN%"=="%~2" exit /b 0
echo runbook: %~1 is not what the plan wants; take this step back 1>&2
exit /b 3

:pfx
for /f %%R in ('openssl rand -hex 16') do set "ONCE=%%R"
openssl pkcs12 -export -inkey "!%~1!" -in "%W%\%~3.pem" -certfile "%W%\%~4" -name "%~2" -out "%W%\key.p12" -passout env:ONCE -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1
exit /b %ERRORLEVEL%

:look
set "LEFT=%~1"
:again
%~2 >nul 2>&1 && exit /b 0
set /a LEFT-=1
if %LEFT% leq 0 exit /b 3
ping -n 2 127.0.0.1 >nul
goto again

:shows
openssl s_client -connect %~1 <nul 2>nul | openssl x509 -outform DER -out "%W%\seen.der" 2>nul
call :digest "%W%\seen.der"
del /q "%W%\seen.der" 2>nul
if /i "%SEEN%"=="%~2" exit /b 0
exit /b 1

:failed
echo runbook: step %STEP% did not end as it should: take it back: %~nx0 %HOST% %PHASE% rollback 1>&2
exit /b 3

rem ---- texts, in the script language that every Windows has
@end
var stream = function (path) { var s = new ActiveXObject("ADODB.Stream"); s.Type = 2; s.Charset = "iso-8859-1"; s.Open(); if (path) s.LoadFromFile(path); return s; };
var text = function (path) { var s = stream(path), t = s.ReadText(); s.Close(); return t; };
var keep = function (path, t) { var s = stream(); s.WriteText(t); s.SaveToFile(path, 2); s.Close(); };
var plain = function (hex) { var t = ""; for (var i = 0; i < hex.length; i += 2) t += String.fromCharCode(parseInt(hex.substr(i, 2), 16)); return t; };
var blocks = function (t, goes) {
  var out = "", rest = t, at;
  while ((at = rest.indexOf("-----BEGIN ")) >= 0) {
    var end = rest.indexOf("-----END ", at), stop = rest.indexOf("\n", end);
    if (end < 0) break;
    if (stop < 0) stop = rest.length - 1;
    var block = rest.substring(at, stop + 1);
    out += rest.substring(0, at) + (goes(block) ? "" : block);
    rest = rest.substring(stop + 1);
  }
  return out + rest;
};
var a = WScript.Arguments, what = a(0), path = a(1), t = text(path), lines = t.split("\n");
if (what == "within") { var l = lines[a(2) - 1], c = Number(a(3)); lines[a(2) - 1] = l.substring(0, c) + plain(a(5)) + l.substring(c + Number(a(4))); t = lines.join("\n"); }
else if (what == "after") { lines.splice(Number(a(2)), 0, plain(a(3))); t = lines.join("\n"); }
else if (what == "without") { lines.splice(a(2) - 1, Number(a(3))); t = lines.join("\n"); }
else if (what == "drop") { t = blocks(t, function (b) { return b.indexOf("CERTIFICATE-----") > 0 && b.replace(/-----[^-]*-----/g, "").replace(/\s/g, "") == a(2); }); }
else if (what == "drop-keys") { t = blocks(t, function (b) { return b.indexOf("PRIVATE KEY-----") > 0; }); }
else WScript.Quit(2);
keep(path, t);

namespace EdgeBroker.PubSub;

/// <summary>What <c>--help</c> prints.</summary>
internal static class HelpText
{
    public const string Pub = """
        Publishes messages to an MQTT server. The options are those of mosquitto_pub.

          edgebroker pub -t topic -m text
          edgebroker pub -t topic -l < lines.txt

        Message (one of these)
          -m, --message TEXT      this text
          -f, --file PATH         the content of a file
          -n, --null-message      an empty message
          -s, --stdin-file        all of standard input
          -l, --stdin-line        each line of standard input
          -r, --retain            the server keeps the message as the topic's last value
              --repeat N          publish N times
              --repeat-delay S    with S seconds in between
          -M, --max-inflight N    QoS 1 and 2 messages sent ahead of their acknowledgement (MQTT 3.1.1: 20)

        """ + Shared;

    public const string Sub = """
        Subscribes to topics of an MQTT server and prints the messages. The options are those of mosquitto_sub.

          edgebroker sub -t 'plant/+/temperature' -v

        Subscriptions
          -t, --topic FILTER      may be repeated
          -U, --unsubscribe F     end a subscription of a kept session; may be repeated
          -T, --filter-out F      do not print messages on these topics; may be repeated
          -R, --no-retained       do not print retained messages
              --retained-only     print retained messages only; end with the first that is not
              --remove-retained   have the server forget each retained message received
              --retain-as-published  show RETAIN as the publisher set it (MQTT 5)

        End
          -C, --count N           after N messages
          -W, --timeout S         after S seconds, with exit code 27
          -E                      when the server has confirmed the subscriptions

        Output
          -v, --verbose           the topic in front of the payload
          -N                      no line feed behind a message
              --pretty            indent %j and %J
          -F, --format FORMAT     %t topic  %p payload  %x %X payload in hex  %l length  %q QoS  %r retain  %m packet id
                                  %f %d payload as binary float, double  %j JSON  %J JSON around a JSON payload
                                  %I time, ISO 8601  %U Unix time  @Y @m @d @H @M @S ... strftime  @N nanoseconds
                                  %A topic alias  %C content type  %D correlation data  %E expiry  %F payload format
                                  %P user properties  %R response topic  %S subscription identifier  %% @@ \\ \n \t \0
                                  %10t pads to 10, %-10t on the right, %.5t cuts after 5, %010l pads with zeros

        """ + Shared;

    private const string Shared = """
        Connection
          -h, --host NAME         server (localhost)
          -p, --port N            port (1883; 8883 with TLS)
              --unix PATH         Unix domain socket instead
              --ws                over WebSocket (port 80; 443 with TLS)
              --ws-path PATH      the path it is spoken at (/mqtt)
          -L, --url URL           mqtt://[user[:password]@]host[:port]/topic; mqtts:// for TLS, ws:// and wss:// for
                                  WebSocket without and with it
          -A, --bind ADDRESS      local address to connect from
          -t, --topic TOPIC       the topic
          -q, --qos N             QoS 0, 1 or 2 (0)
          -i, --id ID             client id (chosen at random)
          -I, --id-prefix TEXT    client id of this text and the process number
          -u, --username NAME     user name
          -P, --pw TEXT           password; every program on this machine can read it there, so rather:
              --pw-file FILE      password: the first line of this file
              --auth-method NAME  scram-sha-256: prove the password instead of sending it, and have the server
                                  prove that it knows it; jwt: -P is a token (MQTT 5)
          -V VERSION              311 or 5 (311; 5 with -D, -x or --auth-method)
          -k, --keepalive S       keep alive in seconds, 0 for none (60)
          -c                      keep the session; needs -i
          -x SECONDS              how long the server keeps the session, ∞ for ever (MQTT 5)
              --will-topic TOPIC  --will-payload TEXT  --will-qos N  --will-retain
          -D PACKET PROPERTY VALUE [VALUE]
                                  MQTT 5 property of connect, publish, subscribe, unsubscribe, disconnect or will,
                                  as in: -D publish user-property name value
              --cafile FILE       TLS, trusting the authorities of this file (PEM)
              --capath FOLDER     TLS, trusting the authorities of all .pem, .crt, .cer files of this folder
              --tls-use-os-certs  TLS, trusting those of the system
              --cert FILE  --key FILE  certificate of the client, and its key
              --insecure          accept a server certificate of another name
              --tls-version V     tlsv1.2 or tlsv1.3 only
              --tls-alpn NAME     application protocol to ask for
          -d, --debug             packets on standard error
              --quiet             no error messages

        Exit codes: 0 done, 1 failed, 27 time over (-W), 64 wrong command line.

        """;
}

namespace EdgeBroker.Bench;

/// <summary>What <c>bench --help</c> prints.</summary>
internal static class BenchUsage
{
    public const string Text = """
        Puts load on an MQTT server, any MQTT server, and says how fast it is and whether it
        lost, repeated or reordered messages.

          edgebroker bench fan-out --subscribers 1000
          edgebroker bench pairs -q 1 -V 5 --broker-pid $(pidof mosquitto)

        Scenarios
          fan-in      50 publishers on topics of their own, 1 subscriber to all of them
          fan-out     1 publisher, 100 subscribers to its topic
          pairs       50 publishers, each with a subscriber of its own
          wild        10 publishers on random ones of 50,000 topics; 100 subscribers with
                      10,000 filters, some with wildcards
          shared      10 publishers, one shared group of 4 subscribers
          connect     1000 connections that come, stay idle, and go
          retain      10,000 retained messages, sent to 1 subscriber when it subscribes
          latency     pairs at QoS 1 and 5000 messages a second: how long they are on their way

        Connection
          -h, --host NAME         server (localhost)
          -p, --port N            port (1883)
              --unix PATH         Unix domain socket instead
          -V VERSION              311 or 5 (311)
          -u, --username NAME     user name
          -P, --pw TEXT           password

        Load
          -q, --qos N             QoS 0, 1 or 2 of publishers and subscribers (0)
              --payload BYTES     size of a message, 24 at least (64)
              --properties        messages carry properties (MQTT 5)
              --aliases           topics are named by alias from the second message on (MQTT 5)
              --publishers N      --subscribers N
              --window N          messages of a publisher on their way at once (64)
              --batch N           messages a publisher writes at once (8)
              --rate N            messages a second, all publishers together, instead of as
                                  fast as the window allows; latencies are shown
              --filters N         --topics N         in wild
              --retained N        messages, in retain
              --connections N     in connect
              --subscribe         each connection subscribes to a topic of its own, in connect
              --hold S            how long connections stay idle, in connect (3)
              --beside N          N clients beside the load, each of which publishes to itself at
                                  QoS 0, waits for the message, and publishes the next; how long
                                  the broker takes for that is shown

        Length
              --duration S        measured time (5)
              --warm-up S         time before it (1)
              --messages N        so many messages instead, all publishers together
              --patience S        how long nothing may arrive before what is missing is lost (5)

        Result
              --broker-pid PID    the server's process, on this machine: messages per CPU-second,
                                  memory, and who was the limit
              --json              one line of JSON

        A latency counts from when a message was due, not from when a late generator sent it.
        Client ids and topics begin with bench; retained messages are removed again.

        Exit codes: 0 done, 1 failed, or the server did what the QoS forbids (lost at QoS 1
        and 2, repeated at QoS 0 and 2, reordered), 64 wrong command line.

        """;
}

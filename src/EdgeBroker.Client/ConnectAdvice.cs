using System.Net.Sockets;

namespace EdgeBroker.Client;

/// <summary>What a technician should do when a connection cannot be opened.</summary>
internal static class ConnectAdvice
{
    public static MqttException Of(string target, Exception failure) =>
        new(For(target, failure), null, failure) { Layer = IsOfName(CodeOf(failure)) ? FailureLayer.Name : FailureLayer.Network };

    private static SocketError CodeOf(Exception failure) =>
        (failure as SocketException ?? failure.InnerException as SocketException)?.SocketErrorCode ?? SocketError.SocketError;

    private static bool IsOfName(SocketError error) => error is SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain;

    private static string For(string target, Exception failure)
    {
        SocketError error = CodeOf(failure);
        return error switch
        {
            SocketError.ConnectionRefused => $"Nothing listens at {target}; check that the server runs and that the port is right.",
            SocketError.HostNotFound or SocketError.NoData => $"The host name in {target} is not known; check its spelling and the DNS settings.",
            SocketError.TryAgain => $"The host name in {target} cannot be looked up at the moment; check the DNS settings and the network.",
            SocketError.TimedOut => $"{target} does not answer; check address, cable and firewall.",
            SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.NetworkDown =>
                $"There is no route to {target}; check address, network settings and cable.",
            SocketError.AccessDenied => $"Access to {target} is denied; check the permissions of this user.",
            SocketError.ConnectionReset => $"{target} dropped the connection; it may not be an MQTT server, or expect TLS on this port.",
            SocketError.AddressNotAvailable or SocketError.InvalidArgument =>
                $"There is no {target} to connect to; check the address and that it exists on this machine.",
            _ => $"{target} cannot be reached ({failure.Message}); check the address and that the server runs.",
        };
    }
}

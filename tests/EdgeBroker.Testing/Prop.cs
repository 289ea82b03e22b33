namespace EdgeBroker.Testing;

/// <summary>The encoded properties of MQTT 5.0, one each; a test joins them with <c>[.. a, .. b]</c>.</summary>
public static class Prop
{
    public static byte[] PayloadFormat(byte value) => [1, value];

    public static byte[] MessageExpiry(uint seconds) => [2, .. Wire.UInt32(seconds)];

    public static byte[] ContentType(string value) => [3, .. Wire.Text(value)];

    public static byte[] ResponseTopic(string value) => [8, .. Wire.Text(value)];

    public static byte[] CorrelationData(params byte[] value) => [9, .. Wire.Binary(value)];

    public static byte[] SubscriptionIdentifier(int value) => [11, .. Wire.VariableByteInteger(value)];

    public static byte[] SessionExpiry(uint seconds) => [17, .. Wire.UInt32(seconds)];

    public static byte[] AssignedClientId(string value) => [18, .. Wire.Text(value)];

    public static byte[] ServerKeepAlive(int seconds) => [19, .. Wire.UInt16(seconds)];

    public static byte[] AuthenticationMethod(string value) => [21, .. Wire.Text(value)];

    public static byte[] AuthenticationData(params byte[] value) => [22, .. Wire.Binary(value)];

    public static byte[] RequestProblemInformation(byte value) => [23, value];

    public static byte[] WillDelay(uint seconds) => [24, .. Wire.UInt32(seconds)];

    public static byte[] RequestResponseInformation(byte value) => [25, value];

    public static byte[] ResponseInformation(string value) => [26, .. Wire.Text(value)];

    public static byte[] ServerReference(string value) => [28, .. Wire.Text(value)];

    public static byte[] ReasonString(string value) => [31, .. Wire.Text(value)];

    public static byte[] ReceiveMaximum(int value) => [33, .. Wire.UInt16(value)];

    public static byte[] TopicAliasMaximum(int value) => [34, .. Wire.UInt16(value)];

    public static byte[] TopicAlias(int value) => [35, .. Wire.UInt16(value)];

    public static byte[] MaximumQoS(byte value) => [36, value];

    public static byte[] RetainAvailable(byte value) => [37, value];

    public static byte[] User(string name, string value) => [38, .. Wire.Text(name), .. Wire.Text(value)];

    public static byte[] MaximumPacketSize(uint value) => [39, .. Wire.UInt32(value)];
}
